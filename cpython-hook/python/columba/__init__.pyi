from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any, TypedDict, final

_Code = FunctionType | MethodType | CodeType | GeneratorType | CoroutineType | AsyncGeneratorType

__version__: str

@final
class ExitInfo:
    """A guess of the compiler that failed at least once."""

    @property
    def offset(self) -> int:
        """Byte offset of the instruction, as in ``dis``."""
    @property
    def line(self) -> int: ...
    @property
    def reason(self) -> str:
        """``type``, ``number``, ``overflow``, ``range``, ``version``, ``unbound`` or ``interrupt``."""
    @property
    def count(self) -> int: ...

@final
class FunctionInfo:
    """What became of a code object."""

    @property
    def compiled(self) -> bool:
        """Whether machine code is in use."""
    @property
    def reason(self) -> str | None:
        """Why it was not compiled; ``None`` when it is, or was not tried yet."""
    @property
    def tier(self) -> str | None:
        """``optimised``; with two backends ``first`` or ``second``."""
    @property
    def backend(self) -> str | None:
        """The backend that made the code."""
    @property
    def entered(self) -> int:
        """Times compiled code was entered: calls, resumes, running loops."""
    @property
    def loops_entered(self) -> int:
        """Times a running loop was entered in the middle."""
    @property
    def exits(self) -> list[ExitInfo]: ...
    @property
    def bytes(self) -> int:
        """Size of the machine code."""
    @property
    def compile_time(self) -> float:
        """Seconds."""
    @property
    def optimisations(self) -> list[str]: ...
    @property
    def versions(self) -> int:
        """Times compiled."""

class Config(TypedDict):
    backend: str
    threshold: int
    stress: str
    opt_level: str
    disable_passes: list[str]
    cpu: str
    loop_entry: bool
    parking: bool
    background: bool

def enable(backend: str | tuple[str, str] | None = None, **config: Any) -> None:
    """Compiles hot code from now on. Of two backends the first compiles what is warm, the second, on a thread of its
    own, what is hot."""
def disable() -> None: ...
def is_enabled() -> bool: ...
def config(**options: Any) -> Config: ...
def info(f: _Code) -> FunctionInfo: ...
def dis(f: _Code) -> str: ...
def ir(f: _Code) -> str: ...
def native(f: _Code) -> bytes: ...
def stats() -> dict[str, Any]: ...
def backends() -> list[str]: ...
