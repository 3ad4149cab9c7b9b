# The Python module itself: what it says about functions. Prints the same whether or not Columba is enabled.
import columba


def f(n):
    t = 0.0
    for i in range(n):
        t += i * 0.5
    return t


enabled = columba.is_enabled()
if enabled:
    columba.config(background=False)
for _ in range(3000):
    f(10)
info = columba.info(f)
print(type(info.compiled).__name__, info.reason is None or isinstance(info.reason, str))
if enabled:
    assert info.compiled, info.reason
    assert info.bytes > 0 and info.compile_time > 0 and info.entered > 0, info
    assert "float" in columba.ir(f).lower() or "f64" in columba.ir(f).lower()
    assert isinstance(columba.native(f), bytes) and len(columba.native(f)) > 0
    assert isinstance(columba.dis(f), str) and columba.dis(f)
stats = columba.stats()
print(all(key in stats for key in ("compiled", "refused", "refusals", "exits", "entered")))
print("cranelift" in columba.backends(), sorted(type(b).__name__ for b in columba.backends())[:1])
config = columba.config()
print(isinstance(config, dict), "threshold" in config)
for bad in (lambda: columba.config(no_such_option=1), lambda: columba.enable(backend="no_such_backend"), lambda: columba.info(5)):
    try:
        bad()
        print("no error")
    except Exception as e:
        print("error", bool(str(e)))
columba.disable()
print(columba.is_enabled(), f(100))
columba.enable()
print(columba.is_enabled(), [f(100) for _ in range(50)][-1])
columba.enable()
columba.disable()
columba.disable()
print(columba.is_enabled(), f(1000))
if enabled:
    columba.enable()
