# Finalisers that change what the store, the call or the slice that dropped their object was about.
# compiled: f
log = []
class D:
    def __init__(self, n, act=None): self.n = n; self.act = act
    def __del__(self):
        log.append(self.n)
        if self.act: self.act()
class O:
    k = 5
    def __init__(self, x): self.x = x; self.y = 1.5
    def set(self, v): self.x = v
    def setget(self, v):
        self.x = v
        return self.x
    def old(self, v):
        t = self.x
        self.x = v
        return t
    def put(self, l, i, v): l[i] = v
    def __setitem__(self, i, v): self.x = v
    def __getitem__(self, i): return self.x
    def __add__(self, o): return O(o)
    def __iadd__(self, v): self.x = v; return self
    def __lt__(self, v): return self.x is v
def f(o, l, i):
    def hide(): o.x = 'hidden'
    def drop(): del l[:]
    def change(): O.k = i
    try:
        o.set(D(1)); o.set(D(2, hide)); o.set(3); log.append(o.x)
    except Exception as e: log.append(repr(e))
    try:
        o.x = D(4, hide); o.x = 2.5; log.append(o.x)
    except Exception as e: log.append(repr(e))
    try:
        log.append(o.setget(D(5)).n); log.append(o.setget(7))
    except Exception as e: log.append(repr(e))
    try:
        o.x = D(6, hide); log.append(o.setget(i))
    except Exception as e: log.append(repr(e))
    try:
        o.x = D('6b', hide); t = o.old(i); log.append(type(t).__name__); t = None; log.append(o.x)
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(7), D(8, drop), D(9)]
    except Exception as e: log.append(repr(e))
    try:
        l[0:2] = [1]; log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(10), D(11, drop), D(12), 4]
    except Exception as e: log.append(repr(e))
    try:
        l[1:] = (); log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(13), D(14, drop), D(15), 4]
    except Exception as e: log.append(repr(e))
    try:
        l[::2] = [0, 0] if len(l) == 4 else []; log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(16, drop)] * 3; l[0] = 1; l[0] = 3; l[1] = 2; log.append(len(l)); l[:] = [7, 8, 9]
    except Exception as e: log.append(repr(e))
    try:
        l[0] = 1
    except Exception as e: log.append(repr(e))
    if len(l) > 1: l[1] = 2
    if len(l) > 2: l[2] = 3
    try:
        log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(17, drop), 2]; log.append('17')
    except Exception as e: log.append(repr(e))
    try:
        l.pop(0); log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        l.append(D(18)); l.pop(); log.append('p')
    except Exception as e: log.append(repr(e))
    try:
        l[:] = [D(19, drop), 2]
    except Exception as e: log.append(repr(e))
    try:
        o.put(l, 0, 5); log.append(len(l))
    except Exception as e: log.append(repr(e))
    try:
        o[0] = D(20, hide); o[0] = 21; log.append(o[0])
    except Exception as e: log.append(repr(e))
    try:
        o += D(22, change); o += i; log.append((o.x, O.k, o.k))
    except Exception as e: log.append(repr(e))
    try:
        (o + D(23, change)); log.append((O.k, o.k))
    except Exception as e: log.append(repr(e))
    try:
        x = (o + D(24)).x.n; log.append(x)
    except Exception as e: log.append(repr(e))
    try:
        log.append(o < D(25, change))
    except Exception as e: log.append(repr(e))
    try:
        s = {D(26)}; s.add(1); s = None
    except Exception as e: log.append(repr(e))
    try:
        d = {1: D(27, change)}; d.get(1); d[1] = 0; log.append((d, O.k))
    except Exception as e: log.append(repr(e))
    try:
        log.append({}.get(1, D(28)).n)
    except Exception as e: log.append(repr(e))
    try:
        log.append(len([D(29)])); log.append(isinstance(D(30), D)); log.append(max(D(31).n, 3))
    except Exception as e: log.append(repr(e))
    try:
        D(32); log.append('made'); D(33).n; log.append([D(34)][0].n); log.append((D(35), 1)[1:])
    except Exception as e: log.append(repr(e))
    try:
        y = [D(36), D(37)][1:]; log.append('sliced'); y = y[::-1]; y = 0
    except Exception as e: log.append(repr(e))
    try:
        z = D(38); z = D(39); z = z.n; log.append(z)
    except Exception as e: log.append(repr(e))
    try:
        o.__dict__; o.x = D(40, hide); o.x = 41; log.append(o.x)
    except Exception as e: log.append(repr(e))
    n = log[:]; del log[:]
    return n

for k in range(45):
    shown = f(O(0), [], k)
    if k % 11 == 0:
        print(*[repr(item) for item in shown])
