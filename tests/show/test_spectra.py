"""Sounds as pictures. Oracles: sines, of which place and power are known, and Parseval's theorem."""

import numpy as np
import pytest

from jaxgan.show import spectra

RATE = 16000.0


def sine(hertz, amplitude=0.5, n=8000, rate=RATE):
    return np.round(amplitude * 32767 * np.sin(2 * np.pi * hertz * np.arange(n) / rate)).astype(np.int16)


@pytest.mark.parametrize(("hertz", "rate"), [(100.0, RATE), (440.0, RATE), (3000.0, RATE), (3000.0, 44100.0)])
def test_the_brightest_row_is_at_the_frequency(hertz, rate):
    picture = spectra.picture(sine(hertz, rate=rate), rate)
    # the middles of 64 bands lie equally far apart from 0 to rate / 2, in mel
    mel, top = (2595 * np.log10(1 + f / 700) for f in (hertz, rate / 2))
    band = round(mel / top * 65) - 1
    middle = picture[:, picture.shape[1] // 2, 0].astype(int)
    assert abs((63 - middle.argmax()) - band) <= 1
    assert middle.max() > 200
    assert np.median(middle) < 40


def test_the_power_of_a_sine_is_its_amplitude_squared():
    power = spectra.mel_power(sine(1000.0, 0.25), RATE).sum(axis=0)
    np.testing.assert_allclose(power[5:-5], 0.25**2, rtol=1e-3)


def test_bands_share_each_frequency_out():
    bank = spectra.mel_bank(RATE, 1025)
    edges = spectra.from_mel(np.linspace(0, spectra.to_mel(8000.0), 66))
    inside = (np.linspace(0, 8000, 1025) >= edges[1]) & (np.linspace(0, 8000, 1025) <= edges[-2])
    np.testing.assert_allclose(bank.sum(axis=0)[inside], 1.0)
    assert spectra.to_mel(1000.0) == pytest.approx(1000.0, abs=0.1)  # how the scale is made


@pytest.mark.parametrize("n", [1, 100, 16000, 1_000_000])
def test_pictures_are_about_as_wide_whatever_the_length(n):
    picture = spectra.picture(np.zeros(n, np.int16), None)
    assert picture.shape[0] == 64
    assert 1 <= picture.shape[1] <= 258
    assert not picture.any()  # silence is black


def test_no_band_falls_between_two_frequencies():
    noise = np.random.default_rng(0).normal(0, 3000, 8000).astype(np.int16)
    assert (spectra.mel_power(noise, RATE).mean(axis=1) > 1e-6).all()
