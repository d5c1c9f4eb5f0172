# typing, abc and protocols at run time.
import abc
import typing


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...


class Sized(typing.Protocol):
    def __len__(self) -> int: ...


class Movie(typing.TypedDict):
    title: str
    year: int


T = typing.TypeVar("T")


class Box(typing.Generic[T]):
    pass


print(typing.get_type_hints(Movie), Box[int], typing.Optional[int], typing.NamedTuple("P", [("x", int)])(1))
print(typing.get_args(dict[str, list[int]]), int | None)
Shape()
