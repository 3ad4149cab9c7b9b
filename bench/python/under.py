"""What every worker makes sure of: that Columba is enabled as its figure says, and that code was compiled by the backend it names."""


def columba_of(rest):
    """The module `columba` for ["--columba", BACKENDS], checked; None for []."""
    if not rest:
        return None
    option, wanted = rest
    assert option == "--columba", f"unknown option {option}"
    import columba

    assert columba.is_enabled(), "Columba is not enabled in the worker"
    used = columba.config()["backend"]
    assert used == wanted, f"Columba uses {used}, and the figure is to be of {wanted}"
    return columba


def check_compiled(columba, function):
    """`info(function)`, when the function was compiled by one of the backends in use."""
    info = columba.info(function)
    assert info.compiled, f"{function.__qualname__} is not compiled: {info.reason}"
    wanted = columba.config()["backend"]
    assert info.backend in wanted.split(","), f"{function.__qualname__} was compiled by {info.backend}, not by {wanted}"
    return info
