"""Results beside earlier ones. Oracle: every number that was measured is in the file, once."""

import copy

from jaxgan.commands import results


def content(step=6, seeds=(0,), name="last", numbers=None, **scores):
    entry = {"step": step, "scores": {key: {"value": value, "extractor": "pixels"} for key, value in scores.items()}}
    return {"run": "r", "data": "d", "seeds": list(seeds), name: entry | ({"numbers": numbers} if numbers else {})}


def values(found):
    kept = [(each["step"], each["name"], each["value"]["value"]) for each in found.get("earlier", ())]
    now = {key: value["value"] for key, value in found["last"]["scores"].items()}
    return now, kept


def test_other_metrics_stand_side_by_side():
    found = results.merged(content(fd=1, vendi=2), content(kd=3))
    assert values(found) == ({"fd": 1, "vendi": 2, "kd": 3}, [])
    found = results.merged(found, content(name="best", seeds=(1,), fd=4))
    assert found["last"]["scores"]["fd"]["seeds"] == [0]
    assert found["seeds"] == [1]
    assert found["best"]["scores"]["fd"]["value"] == 4


def test_measured_again_in_the_same_way_is_one_number():
    assert values(results.merged(content(fd=1), content(fd=1.5))) == ({"fd": 1.5}, [])


def test_another_protocol_seed_data_or_step_pushes_nothing_out():
    other = copy.deepcopy(content(fd=2))
    other["last"]["scores"]["fd"]["extractor"] = "inception"
    for new in (other, content(fd=2, seeds=(0, 1)), content(fd=2) | {"data": "others"}):
        found = results.merged(content(fd=1), new)
        assert values(found) == ({"fd": 2}, [(6, "fd", 1)])
        assert values(results.merged(found, content(fd=3, step=9))) == ({"fd": 3}, [(6, "fd", 1), (6, "fd", 2)])


def test_numbers_of_examples_are_kept_too():
    found = results.merged(content(numbers={"x of 5": {"L1": {"value": 1}}}), content(fd=1))
    assert found["last"]["numbers"]["x of 5"]["L1"] == {"value": 1}
    found = results.merged(found, content(step=9, numbers={"x of 5": {"L1": {"value": 2}}}))
    assert found["last"]["numbers"]["x of 5"]["L1"] == {"value": 2}
    assert {each["kind"] for each in found["earlier"]} == {"numbers", "scores"}


def test_what_is_no_evaluation_is_not_read(tmp_path):
    for text in ("", "[]", '{"run": 1}', '{"run": "r", "data": "d", "seeds": [0], "last": 3}'):
        (tmp_path / "x.json").write_text(text)
        assert results.read(tmp_path / "x.json") is None
    assert results.read(tmp_path / "none.json") is None
