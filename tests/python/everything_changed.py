# What compiled code relies on, changed under it in every way there is: classes, instances, modules, globals.
# compiled: u
import math
import types

M = types.ModuleType('M')
class Base:
    bk = 1
    def bm(self): return 'base'
    def __len__(self): return 3
class K(Base):
    k = 2
    def m(self): return self.k
    def g(self): return self.x
    def s(self, v): self.x = v
    @classmethod
    def c(cls): return cls.k
    @staticmethod
    def st(): return 's'
    def __getitem__(self, i): return self.x
    def __add__(self, o): return self.x
    def __lt__(self, o): return 1
    def __call__(self): return 'call'
    def __init__(self, x=1): self.x = x
class Sub(K): pass
class Other:
    k = 9
    x = 8
    def m(self): return 'om'
    def g(self): return 'og'
M.n = 1
def mf(): return M.n
M.f = mf
G = 1
def h(o): return o.k + G
class Desc:
    def __get__(self, o, t): return 'desc'
class Data(Desc):
    def __set__(self, o, v): print('set', v)
class Eq(str):
    pass
def u(o, n):
    r = []
    for i in range(n):
        try: r.append(o.k)
        except Exception as e: r.append(repr(e))
        try: r.append(o.m())
        except Exception as e: r.append(repr(e))
        try: r.append(o.g())
        except Exception as e: r.append(repr(e))
        try: r.append(o.c())
        except Exception as e: r.append(repr(e))
        try: r.append(o.st())
        except Exception as e: r.append(repr(e))
        try: r.append(o[i])
        except Exception as e: r.append(repr(e))
        try: r.append(o + i)
        except Exception as e: r.append(repr(e))
        try: r.append(o + o)
        except Exception as e: r.append(repr(e))
        try: r.append(o < o)
        except Exception as e: r.append(repr(e))
        try: r.append(o())
        except Exception as e: r.append(repr(e))
        try: r.append(len(o))
        except Exception as e: r.append(repr(e))
        try: r.append((K.k, K.bk, Sub.k))
        except Exception as e: r.append(repr(e))
        try: r.append(K.c())
        except Exception as e: r.append(repr(e))
        try: r.append(K.st())
        except Exception as e: r.append(repr(e))
        try: r.append(K(i).x)
        except Exception as e: r.append(repr(e))
        try: r.append(Sub(i).g())
        except Exception as e: r.append(repr(e))
        try: r.append(M.n)
        except Exception as e: r.append(repr(e))
        try: r.append(M.f())
        except Exception as e: r.append(repr(e))
        try: r.append(h(o))
        except Exception as e: r.append(repr(e))
        try: r.append((o.bm(), o.bk))
        except Exception as e: r.append(repr(e))
        try: r.append(math.floor(2.5))
        except Exception as e: r.append(repr(e))
        try: o.s(o.x); r.append(o.x)
        except Exception as e: r.append(repr(e))
        try: o.x = i; r.append(o.x)
        except Exception as e: r.append(repr(e))
        try: o.new = i; r.append(o.new); del o.new
        except Exception as e: r.append(repr(e))
        try: r.append((isinstance(o, K), isinstance(o, Base), isinstance(i, K)))
        except Exception as e: r.append(repr(e))
    return [x if type(x) is str else repr(type(x)) if type(x) not in (int, float, tuple, bool) else repr(x) for x in r]
changes = '''K.k = 3
Base.bk = 4
K.k = Desc()
K.k = Data()
K.k = 2.5
del K.k
Base.k = 7
K.k = 1
K.m = lambda self: 'new m'
K.m.__code__ = (lambda self: 'code m').__code__
Sub.m = lambda self: 'sub m'
del Sub.m
K.m = 5
K.m = staticmethod(lambda: 'static m')
K.m = classmethod(lambda cls: cls.__name__)
K.m = property(lambda self: lambda: 'prop m')
del K.m
K.m = lambda self: self.k
K.x = 7
K.x = property(lambda self: 'px')
K.x = Data()
del K.x
K.x = Desc()
del K.x
K.c = classmethod(lambda cls: 'c2')
K.__dict__['c'].__init__(lambda cls: 'c3')
K.st = staticmethod(lambda: 's2')
K.__dict__['st'].__init__(lambda: 's3')
K.__getitem__ = lambda self, i: i
K.__getitem__.__code__ = (lambda self, i: -i).__code__
del K.__getitem__
K.__class_getitem__ = lambda i: i
K.__getitem__ = lambda self, i: 4
K.__add__ = lambda self, o: NotImplemented
K.__radd__ = lambda self, o: 'radd'
Sub.__radd__ = lambda self, o: 'sub radd'
K.__add__ = lambda self, o: 'add'
K.__lt__ = lambda self, o: NotImplemented
K.__gt__ = lambda self, o: 'gt'
K.__call__ = lambda self: 'called'
del K.__call__
Base.__call__ = lambda self: 'base called'
K.__init__ = lambda self, x: None
K.__new__ = lambda cls, x: Other()
K.__new__ = lambda cls, x: object.__new__(cls)
del K.__new__
del K.__init__
K.__init__ = lambda self, x=3: setattr(self, 'x', -x)
K.__init__ = lambda self, x=3: 5
K.__init__ = lambda self, x=3: setattr(self, 'x', x)
Base.__len__ = lambda self: 5
K.__len__ = lambda self: -1
K.__len__ = lambda self: 'a'
del K.__len__
M.n = 2
M.n = 'str'
del M.n
M.__getattr__ = lambda n: 'module getattr'
M.n = 4
M.f = lambda: 'new f'
M.f.__code__ = (lambda: 'coded').__code__
M.__class__ = type('MM', (types.ModuleType,), {'n': property(lambda self: 'mm')})
M = Other
M = math
M = types.SimpleNamespace(n=1, f=min)
G = 2.5
G = 'x'
del G
G = 1
h = lambda o: 'h'
h.__code__ = (lambda o: 'h2').__code__
h = Other
math = types.SimpleNamespace(floor=lambda x: 'floor')
import math
K.__getattr__ = lambda self, n: 'ga ' + n
del K.bm
del Base.bm
K.__getattribute__ = lambda self, n: object.__getattribute__(self, n)
K.__getattribute__ = lambda self, n: 'gattr'
del K.__getattribute__
del K.__getattr__
K.__setattr__ = lambda self, n, v: object.__setattr__(self, n, v + 1)
del K.__setattr__
K.__delattr__ = lambda self, n: None
K.__bases__ = (Other, Base)
K.__bases__ = (Base,)
o.__class__ = Sub
o.__class__ = Other
o = K()
o.k = 'own'
o.m = lambda: 'own m'
o.__dict__ = {'x': 'dict', 'g': lambda: 'dict g'}
o = K(); vars(o)
o.y = 1; o.z = 2; o.__dict__['k'] = 6
o.__dict__[Eq('k')] = 7
o.__dict__[3] = 4
del o.__dict__['k']
o.__dict__.clear()
o = K(); del o.x
o = Other()
o = K(2); Base = int
K = Sub
K = Other
isinstance = lambda a, b: 'inst'
len = lambda x: 'len'
del isinstance, len'''.split('\n')

o = K()
for i in range(30):
    results = u(o, 2)
print(*results)
for change in changes:
    try:
        exec(change)
    except Exception as error:
        print(type(error).__name__, error)
    print(change)
    for i in range(4):
        results = u(o, 2)
        if i in (0, 3):
            print(*results)
