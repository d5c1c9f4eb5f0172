# dataclasses: repr, order, fields, replace, asdict, defaults, slots, errors.
import dataclasses


@dataclasses.dataclass(order=True, frozen=True)
class Item:
    name: str
    price: float = 1.5
    tags: list = dataclasses.field(default_factory=list, compare=False)


@dataclasses.dataclass(slots=True, kw_only=True)
class Slots:
    x: int
    y: "int" = 2


print(Item("a"), Item("a") < Item("b"), dataclasses.replace(Item("a"), price=2), dataclasses.asdict(Item("z")))
print(Slots(x=1), [f.name for f in dataclasses.fields(Slots)])
Item("a").name = "b"
