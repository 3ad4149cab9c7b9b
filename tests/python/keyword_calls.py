# Keywords of calls between compiled functions: put in order, with defaults, and every way in which they are wrong.
import sys
def f(a, b=2, *, c=3): return a,b,c
def g(a, b=[], c="c", d=None): return a,b,c,d
def po(a, /, b, c=5): return a,b,c
class C:
    def m(self, x, y=1, z=2): return x,y,z
    def __init__(self, p=1, q=2): self.p, self.q = p, q
def rec(n, up=False): return rec(n=n-1, up=not up) if n else up
def shown(call):
    try: return call()
    except TypeError as e: return str(e)
def run():
    c=C()
    return [shown(x) for x in (lambda: g(1,d=4), lambda: g(a=1), lambda: g(b=1), lambda: g(1,a=2), lambda: g(1,e=2), lambda: g(1,2,3,4,d=5), lambda: g(d=1,c=2,b=3,a=4),
      lambda: po(1,b=2), lambda: po(a=1,b=2), lambda: po(1,2,c=8), lambda: c.m(1,z=5), lambda: c.m(z=1,x=2), lambda: c.m(y=3), lambda: C(q=5).q, lambda: C(1,p=2),
      lambda: f(1,c=4), lambda: f(1,b=2,c=4), lambda: rec(n=7), lambda: g(1, **{"d": 2}), lambda: g(*(1,2), d=3))]
for _ in range(50): r=run()
print(r)
before=[sys.getrefcount(x) for x in g.__defaults__[:2]]
for _ in range(100): run()
after=[sys.getrefcount(x) for x in g.__defaults__[:2]]
print([a-b for a,b in zip(after,before)])
g.__defaults__=(1,2)
print(run()[:7])
