from hypothesis import given
from hypothesis import strategies as st

from models.sound import at_least, letter_distance, letters

words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz'0123456789é", max_size=12)


@given(one=words, other=words)
def test_the_quick_look_never_says_more_than_the_distance(one: str, other: str) -> None:
    assert at_least(letters(one), letters(other)) <= letter_distance(one, other)


@given(one=words, other=words, most=st.floats(0, 12))
def test_a_limit_changes_nothing_within_it(one: str, other: str, most: float) -> None:
    distance = letter_distance(one, other)
    found = letter_distance(one, other, most)
    assert found == distance if distance <= most else found > most


def test_letters_of_one_sound_cost_half() -> None:
    assert letter_distance("harper", "harber") == 0.5
    assert letter_distance("harper", "harker") == 1.0
    assert letter_distance("", "ab") == 2.0
