"""The reader of PyTorch's files on bad ones, and on those that experiments/goldens/make_pth_fixtures.py wrote."""

import contextlib
import copyreg
import io
import os
import pickle
import pickletools
import struct
import tracemalloc
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.weights import unpickler
from jaxgan.weights.pth import read_pth
from jaxgan.weights.unpickler import RefusedError, read_pickle

NEEDED = """
PROTO FRAME MARK STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE
EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE
BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID
"""  # of the instructions of pickles
FIXTURES = Path(__file__).parent / "fixtures"
KINDS = ("float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")


@pytest.fixture(params=["zip", "legacy"])
def stored(request):
    return (FIXTURES / f"{request.param}.pth").read_bytes()


def test_arrays_are_those_that_were_saved(stored):
    """Oracle: the formulas that made the files."""
    arrays = read_pth(stored, "x.pth")
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = {
        "0.weight": np.arange(12).reshape(3, 2, 1, 2) / 8,
        **{f"1.{name}": np.arange(3) / 8 for name in ("weight", "bias", "running_mean", "running_var")},
        "1.num_batches_tracked": np.array(5),
        "parameter": base[0] + 0.5,
        **dict.fromkeys(KINDS, np.arange(6).reshape(2, 3)),
        "bool": np.array([True, False]),
        "transposed": base.transpose(2, 0, 1),
        "part": base[1, 1:, ::2],
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3)),
    }
    assert list(arrays) == list(expected)
    for name, values in expected.items():
        assert arrays[name].shape == values.shape, name
        assert np.array_equal(arrays[name].astype(np.float64), values), name
    for kind in KINDS:
        assert arrays[kind].dtype == jnp.dtype(kind)
    assert arrays["0.weight"].dtype == np.float32


def test_files_cut_short_are_refused_wherever_they_are_cut(stored):
    for length in [*range(0, len(stored), 11), *range(len(stored) - 9, len(stored))]:
        with pytest.raises(UserError, match=r"^x\.pth cannot be read as weights of PyTorch: .*\.$"):
            read_pth(stored[:length], "x.pth")


def test_files_with_wrong_bytes_give_arrays_or_one_sentence(stored):
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(stored)
        for place in rng.integers(0, len(stored), rng.integers(1, 4)):
            broken[place] = rng.integers(0, 256)
        with contextlib.suppress(UserError):  # any other exception fails the test
            read_pth(bytes(broken), "x.pth")


# A pickle's instructions, to write such as PyTorch would not.


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def tuple_of(*values):
    return b"(" + b"".join(values) + b"t"


def storage(kind="FloatStorage", key="0", length=6, tag="storage"):
    return tuple_of(text(tag), name("torch", kind), text(key), text("cpu"), number(length)) + b"Q"


def tensor(source=None, offset=0, shape=(2, 3), strides=(3, 1)):
    sizes = [tuple_of(*(number(n) for n in each)) for each in (shape, strides)]
    hooks = name("collections", "OrderedDict") + b")R"
    arguments = tuple_of(source or storage(), number(offset), *sizes, b"\x89", hooks)
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def dictionary(value, key=None):
    return b"\x80\x02}" + (key or text("w")) + value + b"s."


def archive(program, storages=None, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as opened:
        opened.writestr("archive/data.pkl", program)
        for key, content in (storages or {"0": np.arange(6, dtype=np.float32).tobytes()}).items():
            opened.writestr(f"archive/data/{key}", content)
    return file.getvalue()


def refuse(content, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        read_pth(content, "x.pth")
    assert len(str(caught.value)) < 250


def test_the_instructions_of_these_tests_are_right():
    """What the refusals below change is otherwise read."""
    assert np.array_equal(read_pth(archive(dictionary(tensor())), "x")["w"], np.arange(6).reshape(2, 3))
    assert read_pth(archive(dictionary(tensor(shape=(1, 2), strides=(2**62, 2)))), "x")["w"].tolist() == [[0, 2]]


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", range(6))
def test_no_code_is_run(tmp_path, protocol):
    marker = tmp_path / "marker"
    program = pickle.dumps({"w": Evil(marker)}, protocol)
    legacy = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    for content in (archive(program), program, legacy + program, legacy + pickle.dumps({}, 2) + program):
        with pytest.raises(UserError):
            read_pth(content, "x.pth")
    assert not marker.exists()
    pickle.loads(program)
    assert marker.exists()  # the control: it does run where pickles are trusted


@pytest.mark.parametrize(
    "program",
    [
        dictionary(name("posix", "system") + tuple_of(text("true")) + b"R"),
        dictionary(name("builtins", "eval") + tuple_of(text("1")) + b"R"),
        dictionary(name("torch._utils", "_rebuild_sparse_tensor") + tuple_of(text("1")) + b"R"),
        dictionary(name("collections", "OrderedDict.fromkeys") + tuple_of(text("ab")) + b"R"),
        dictionary(text("posix") + text("system") + b"\x93"),  # STACK_GLOBAL
        dictionary(text("collections") + text("OrderedDict.fromkeys") + b"\x93"),
        dictionary(text("torch._utils") + text("_rebuild_tensor_v2.__globals__") + b"\x93"),
        dictionary(name("torch", "os.Storage")),
    ],
)
def test_other_names_are_refused(program):
    refuse(archive(program), "its pickle asks for '.*', which no weights need")


@pytest.mark.parametrize(
    ("program", "instruction"),
    [
        (b"(iposix\nsystem\n.", "INST"),
        (b"(" + name("collections", "OrderedDict") + b"o.", "OBJ"),
        (name("collections", "OrderedDict") + b")\x81.", "NEWOBJ"),
        (b"\x82\x01.", "EXT1"),
        (b"\x80\x02}S'a'\n.", "STRING"),
    ],
)
def test_other_instructions_are_refused(program, instruction):
    refuse(archive(program), f"the instruction {instruction}, which no weights need")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (dictionary(text("1") + b")R"), "not one of weights"),
        (dictionary(name("torch", "FloatStorage") + b")R"), "not one of weights"),
        (dictionary(name("collections", "OrderedDict") + tuple_of(b"}") + b"R"), "not one of weights"),
        (dictionary(text("a") + number(1) + b"b"), "not one of weights"),
        (dictionary(tensor(), key=tuple_of(text("a"))), "not one of weights"),
        (dictionary(tensor(storage(tag="module"))), "refers to something that is no storage"),
        (dictionary(number(1)), "its entry 'w' is not an array"),
        (b"\x80\x02].", "it does not hold a dictionary"),
        (b"\x80\x02}", "cut short"),
        (b"\x80\x02\x86.", "broken"),
        (b"\x80\x02t.", "broken"),
        (b"\x80\x02" + b"N0" * 10 + b".", "the instruction POP"),
        (b"\x80\x02X\xff\xff\xff\xffabc.", "cut short"),
    ],
)
def test_pickles_of_other_things_are_refused(program, sentence):
    refuse(archive(program), sentence)


def test_all_other_instructions_of_pickles_are_refused():
    known = {instruction.name: instruction.code.encode("latin-1") for instruction in pickletools.opcodes}
    others = known.keys() - set(NEEDED.split())
    assert len(others) == len(known) - len(NEEDED.split())
    for other in others:
        refuse(
            archive(b"\x80\x04]" + known[other] + b"0" * 20 + b"\n."), f"the instruction {other}, which no weights need"
        )
    refuse(archive(b"\x80\x02\xff."), "the instruction of number 255")


def test_registered_extensions_are_not_called(tmp_path):
    """They are in the process's registry, and `find_class` of the fast unpickler is not asked for those it has seen."""
    marker = tmp_path / "marker"
    program = b"\x80\x02\x82\xc8" + tuple_of(text(f"touch {marker}")) + b"R."
    copyreg.add_extension(os.system.__module__, "system", 200)
    try:
        pickle.loads(program)
        assert marker.exists()  # the control
        marker.unlink()
        refuse(archive(program), "the instruction EXT1")
        assert not marker.exists()
    finally:
        copyreg.remove_extension(os.system.__module__, "system", 200)


@pytest.mark.parametrize(
    "thing",
    [
        name("torch._utils", "_rebuild_tensor_v2"),
        name("torch", "FloatStorage"),
        name("collections", "OrderedDict"),
        storage(),
        tensor(),
        b"]",
    ],
)
def test_attributes_of_what_stands_for_functions_and_classes_cannot_be_set(thing):
    state = b"}" + text("__defaults__") + b")s"
    before = {each: vars(each).copy() for each in (unpickler._tensor, unpickler._ordered)}
    defaults = unpickler._tensor.__defaults__
    for given in (state, tuple_of(b"N", state), tuple_of(state, state), b"N"):
        refuse(archive(dictionary(thing + given + b"b")), "not one of weights")
    assert before == {each: vars(each) for each in before}
    assert unpickler._tensor.__defaults__ == defaults
    assert list(read_pth(archive(dictionary(tensor())), "x")) == ["w"]


def test_keys_whose_hash_takes_forever_are_refused():
    """A pair of a pair of ..., a hundred deep: 2^100 hashes. Once given as an item, once as several."""
    key = b"K\x01\x85q\x00" + b"h\x00\x86q\x00" * 100
    for program in (
        b"}" + key + b"Ns.",
        b"}(" + key + b"Nu.",
        name("collections", "OrderedDict") + b")R" + key + b"Ns.",
    ):
        refuse(archive(b"\x80\x02" + program), "not one of weights")


@pytest.mark.parametrize("nest", [b"]" * 10**5 + b"a" * (10**5 - 1), b"N" + b"\x85" * 10**5])
def test_deep_nests_need_no_deep_stack(nest):
    refuse(archive(dictionary(nest)), "its entry 'w' is not an array")


@pytest.mark.parametrize("claim", [b"\x95" + b"\xff" * 7 + b"\x7f", b"X" + b"\xff" * 4, b"X" + b"\xff\xff\xff\x7f"])
def test_lengths_beyond_the_file_take_no_memory(claim):
    tracemalloc.start()
    refuse(archive(b"\x80\x04" + claim + b"abc."), "broken|cut short")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_pickles_longer_than_any_of_weights_are_refused(monkeypatch):
    program = b"\x80\x02" + b"N" * 100 + b"."
    assert read_pickle(io.BytesIO(program)) is None
    monkeypatch.setattr(unpickler, "MAX_BYTES", 100)
    with pytest.raises(RefusedError, match="cut short, or longer than 100 bytes"):
        read_pickle(io.BytesIO(program))


def test_large_places_in_memory_take_no_memory():
    program = b"\x80\x02}r\xff\xff\xff\x7f" + dictionary(tensor())[3:]
    assert list(read_pth(archive(program), "x")) == ["w"]


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (tensor(offset=1), "reaches beyond its storage"),
        (tensor(offset=2**62), "reaches beyond its storage"),
        (tensor(offset=-1), "a size that is none"),
        (tensor(strides=(4, 1)), "reaches beyond its storage"),
        (tensor(strides=(2**62, 2**62)), "reaches beyond its storage"),
        (tensor(strides=(-3, 1)), "a size that is none"),
        (tensor(shape=(2**31, 2**31), strides=(0, 0)), "a shape that its storage cannot have"),
        (tensor(shape=(6,)), "a shape that its storage cannot have"),
        (tensor(shape=(0, 2**62)), "a shape that is none"),
        (tensor(storage(length=7)), "missing or not of the size"),
        (tensor(storage(length=2**62)), "missing or not of the size"),
        (tensor(storage(key="1")), "missing or not of the size"),
        (tensor(storage(key="../../etc/passwd")), "missing or not of the size"),
        (tensor(storage(kind="DoubleStorage")), "missing or not of the size"),
        (tensor(storage(kind="ComplexFloatStorage")), "of a kind that is not read, ComplexFloatStorage"),
        (tensor(tuple_of(text("a"))), "not one of weights"),
    ],
)
def test_arrays_that_lie_about_their_storage_are_refused(array, sentence):
    refuse(archive(dictionary(array)), sentence)


def test_archives_that_grow_are_refused():
    program = dictionary(tensor(storage(length=2**20), shape=(2**20,), strides=(1,)))
    bomb = archive(program, {"0": bytes(2**22)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**14
    refuse(bomb, "compressed, which PyTorch's are not")
    honest = archive(dictionary(tensor()))
    lie = bytearray(honest)
    place = lie.index(b"PK\x01\x02", lie.index(b"PK\x01\x02") + 1)  # the second entry of the directory
    lie[place + 20 : place + 28] = struct.pack("<II", 2**31, 2**31)
    refuse(bytes(lie), "says that it holds more than it can")


def test_files_of_other_kinds_are_refused():
    refuse(b"", "neither of PyTorch's two formats")
    refuse(b"\x89PNG\r\n\x1a\n", "neither of PyTorch's two formats")
    refuse(pickle.dumps({"w": 1}, 2), "neither of PyTorch's two formats")
    file = io.BytesIO()
    np.savez(file, w=np.zeros(3))
    refuse(file.getvalue(), "its archive has no data.pkl")


def test_other_byte_orders_are_refused(stored):
    if stored[:2] == b"PK":
        swapped = stored.replace(b"little", b"bigend")
        refuse(swapped, "broken")  # its checksum no longer fits
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as opened:
            opened.writestr("a/byteorder", "big")
            opened.writestr("a/data.pkl", dictionary(tensor()))
        refuse(file.getvalue(), "another byte order")
    else:
        place = stored.index(b"little_endian") + len("little_endian")
        refuse(stored[:place] + stored[place:].replace(b"\x88", b"\x89", 1), "another byte order")
