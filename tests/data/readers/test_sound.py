"""Oracle: the samples that were written, in closed form for each width."""

import struct
import wave

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data.readers import sound
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

NEEDS = Needs({"wave": "wave", "label": "label?"})
SAMPLES = np.array([-32768, -256, 0, 256, 32512], np.int16)  # multiples of 256, which 8 bits can hold


def packed(samples, width):
    """Little-endian, 8 bits unsigned: RIFF WAVE."""
    if width == 1:
        return (samples // 256 + 128).astype(np.uint8).tobytes()
    wide = samples.astype(np.int64) << (8 * (width - 2))
    return b"".join(int(one).to_bytes(width, "little", signed=True) for one in wide)


def save(path, samples=SAMPLES, rate=8000, width=2, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(packed(samples, width))


def first(loaded):
    return data.resident(loaded, loaded.spec)[0]["wave"][0]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width(tmp_path, width):
    save(tmp_path / "a.wav", width=width)
    loaded = data.load(str(tmp_path), needs=NEEDS)
    assert loaded.spec == {"wave": Field("wave", (5,), rate=8000.0)}
    np.testing.assert_array_equal(first(loaded), SAMPLES)


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([SAMPLES, np.roll(SAMPLES, 1)], 1)
    save(tmp_path / "a.wav", stereo.ravel(), channels=2)
    np.testing.assert_array_equal(first(data.load(str(tmp_path), needs=NEEDS)), np.rint(stereo.mean(1)))


def test_labels_and_silence(tmp_path):
    save(tmp_path / "drum/1.wav")
    save(tmp_path / "horn/1.wav", SAMPLES[1:3])
    loaded = data.load(str(tmp_path), needs=NEEDS)
    assert loaded.spec["label"] == fields.label(("drum", "horn"))
    np.testing.assert_array_equal(loaded.tables[0].source[1]["wave"], [-256, 0, 0, 0, 0])
    assert loaded.tables[0].source[1]["label"] == 1
    assert loaded.description.endswith("0.000625 s at 8000 samples a second; 1 filled up with silence")


def test_long_sounds_are_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "LONGEST", 3)
    save(tmp_path / "a.wav")
    loaded = data.load(str(tmp_path), needs=NEEDS)
    np.testing.assert_array_equal(first(loaded), SAMPLES[:3])
    assert loaded.description.endswith("; 1 cut")


def test_two_rates(tmp_path):
    save(tmp_path / "a.wav")
    save(tmp_path / "b.wav", rate=16000)
    with pytest.raises(UserError, match=r"one rate: a.wav has 8000 samples a second, b.wav has 16000"):
        data.load(str(tmp_path), needs=NEEDS)


def floats():
    body = np.zeros(4, np.float32).tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(body),
        b"WAVE",
        b"fmt ",
        16,
        3,
        1,
        8000,
        32000,
        4,
        32,
        b"data",
        len(body),
    )
    return head + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello, this is no sound", "not a .wav file"),
        (b"", "not a .wav file: cut short"),
        (floats(), "its samples are no whole numbers; save it as 16-bit PCM"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, reason):
    save(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(content)
    with pytest.raises(UserError, match=rf"1 of 2 sounds in .* b.wav \({reason}"):
        data.load(str(tmp_path), needs=NEEDS)


def test_no_sound(tmp_path):
    with pytest.raises(UserError, match=r"holds no sound: none of its files ends in .wav"):
        data.load(str(tmp_path), needs=NEEDS)
