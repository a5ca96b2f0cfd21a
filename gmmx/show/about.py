"""The facts of an observation that pages and figures show."""

from types import SimpleNamespace


def about(observation):
    """The header facts of an observation by the names that pages use."""
    facts = observation.metadata
    band = facts.get("energy_kev")
    chosen = facts.get("resolved") or {}
    return SimpleNamespace(
        target=str(facts.get("OBJECT") or "").strip(),
        obs_id=str(facts.get("OBS_ID") or "").strip(),
        telescope=str(facts.get("TELESCOP") or ""),
        instrument=str(facts.get("INSTRUME") or ""),
        date=str(facts.get("DATE-OBS") or ""),
        exposure_time=facts.get("EXPOSURE"),
        band_kev=None if isinstance(band, str) else band,
        choices=chosen if isinstance(chosen, dict) else {},
        inputs=[SimpleNamespace(**one) for one in facts.get("inputs") or ()],
        masks=[SimpleNamespace(n_shapes=one["shapes"], **one) for one in facts.get("masks") or ()],
    )
