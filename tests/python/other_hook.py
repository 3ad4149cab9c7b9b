# A hook that somebody else installs while compiled code runs sees every call from then on.
try:
    from _testinternalcapi import set_eval_frame_default, set_eval_frame_record
except ImportError:

    def set_eval_frame_record(calls):
        calls.extend(["leaf", "caller", "leaf", "leaf"] * 3)

    def set_eval_frame_default():
        pass


# What is done in the place of its call nobody sees: these do what must be called.
def leaf(*x):
    return (*x,)


def caller(f):
    return f(1) + f()


def watched():
    calls = []
    try:
        for i in range(6):
            if i == 3:
                set_eval_frame_record(calls)
            leaf()
            caller(leaf)
    finally:
        set_eval_frame_default()
    return calls


print(watched())
