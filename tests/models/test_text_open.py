"""The shipped heads over the real embedding."""

import pytest

from models.embedding import Embedding
from models.weights import locate
from models.wording import OPEN, TextModel

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    cache = tmp_path_factory.mktemp("weights")
    return TextModel(OPEN, Embedding(locate("multilingual-e5-small", directory=None, cache=cache)))


@pytest.mark.parametrize(
    ("text", "language", "emotion"),
    [
        ("我要投诉你们", "zh", "angry"),
        ("太失望了，算了吧", "zh", "disappointed"),
        ("谢谢你，帮我解决了问题", "zh", "satisfied"),
        ("I want to cancel my contract this is ridiculous", "en", "angry"),
        ("I'm worried my card was stolen", "en", "anxious"),
        ("I am really disappointed with this", "en", "disappointed"),
        ("thank you so much that is exactly what I needed", "en", "satisfied"),
    ],
)
def test_what_is_said_plainly_is_understood(model: TextModel, text: str, language: str, emotion: str) -> None:
    said = model(text, language)
    assert said.value is not None
    assert (said.value > 0) == (emotion == "satisfied")
    assert abs(said.value) > 0.4
    emotions = ("angry", "anxious", "disappointed", "satisfied")
    assert max(emotions, key=lambda name: getattr(said, name)) == emotion


@pytest.mark.parametrize(("text", "language"), [("我想查一下我的话费余额", "zh"), ("what is my account balance", "en")])
def test_a_question_to_a_service_is_no_complaint(model: TextModel, text: str, language: str) -> None:
    said = model(text, language)
    assert said.value == pytest.approx(0, abs=0.2)
    assert said.neutral == said.confidence
