"""Why a model lies below the highest log-likelihood that was reached, in words."""

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result

from gmmx.show.figures.history_words import explained, highest, rule_of


def make_course(*rows, asked=None, price=None):
    """A result of three components after a path of (K, log-likelihood, criterion)."""
    k, likelihood, criterion = (np.array(column, float) for column in zip(*rows, strict=True))
    path = {
        "stage": np.array(["grow"] * len(rows)),
        "k": k.astype(int),
        "log_likelihood": likelihood,
        "criterion": criterion,
        "accepted": np.ones(len(rows), bool),
    }
    options = {} if price is None else {"price": price}
    given = {"path": path, "history": {}, "options": options, "requested_components": asked}
    return make_result(
        [make_observation()], make_mixture(), log_likelihood=float(likelihood[-1]), **given
    )


def test_components_that_cost_more_than_they_gain_are_named():
    text = explained(make_course((5, -100, -160), (3, -112, -142)))
    assert text == (
        "The highest log-likelihood, 12 nat above that of the model, was reached with 5 components."
        " The 2 others cost 30 nat, more than they gained, and they were removed."
    )


def test_a_single_component_is_one():
    text = explained(make_course((4, -100, -150), (3, -112, -142)))
    assert text.endswith("The other one cost 20 nat, more than it gained, and it was removed.")


@pytest.mark.parametrize(
    ("course", "words"),
    [
        (make_course((2, -200, -230), (3, -100, -140)), "No set of parameters"),
        (make_course((3, -100, -130), (3, -104, -134)), "renews the prior scales"),
        (make_course((5, -100, -130), (3, -112, -142), asked=3), "An exchange adds components"),
        (make_course((5, -100, -130), (3, -112, -142), asked=5), "less than 2 % of them"),
        (make_course((5, -100, -130), (3, -140, -168)), "gained less than the price"),
    ],
)
def test_every_other_reason_has_its_words(course, words):
    assert words in explained(course)


def test_a_file_without_a_record_explains_nothing():
    assert explained(make_result([make_observation()], make_mixture(), history={}, path={})) == ""


def test_the_start_without_components_may_have_no_likelihood():
    assert highest(make_course((0, -np.inf, -np.inf), (3, -100, -140))) == (-100, 3)


@pytest.mark.parametrize(
    ("asked", "price", "text"),
    [(7, None, "7 requested"), (None, None, "chosen by the price"), (None, 9.0, "9 nat each")],
)
def test_the_rule_that_chose_k_is_named(asked, price, text):
    assert text in rule_of(make_course((3, -100, -140), asked=asked, price=price))
