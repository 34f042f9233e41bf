"""What a clause of a call does: tells a problem, tells what is done, promises; Chinese and English."""

import re
from collections.abc import Iterator
from typing import Final

_SENTENCE: Final = re.compile(r"[^。！？!?；;.]+(?:\.(?=\S)[^。！？!?；;.]+)*[。！？!?；;.]*")
_CLAUSE: Final = re.compile(r"[^，,]+[，,]?")
_HAN: Final = re.compile(r"[㐀-鿿]")

PROBLEM: Final = re.compile(
    r"没(?:有)?(?:收到|到|送|退|解决|人|处理|发货|反应|信号|网)|收不到|坏了?|故障|用不了|打不开|连不上|断网|上不了|登不上|登录不了|不能用|漏|破损|少了|错了?"
    r"|退[款货订钱]|取消|注销|投诉|换货|维修|太贵|多收|扣了|乱收费|涨价|超时|延误|迟到|查询?一下|想(?:要|问|查|办|改|换|退|咨询)|怎么(?:办|回事)|到底|什么时候"
    r"|\b(?:cancel|refund|return|complain|complaint|broken|damaged|missing|lost|late|delayed|wrong|overcharged|charged"
    r"|not (?:work|working|received|arrived|delivered)|(?:doesn|didn|hasn|haven|isn|can|won)'?t"
    r"|never (?:arrived|came|called)"
    r"|was down|is down|down for|too expensive|problem|issue|trouble|error|fault|would like to|want to|need to|fed up"
    r"|nobody (?:called|came|helped)|still (?:waiting|no|not)|where is)\b",
    re.IGNORECASE,
)
GREETING: Final = re.compile(
    r"^(?:喂|您?好|你好|哈喽|早上好|下午好|嗯+|啊|哎|hi|hello|hey|good (?:morning|afternoon|evening))[，,。.!！\s]*",
    re.IGNORECASE,
)
_DONE: Final = re.compile(
    r"(?:已经|现在|这边|马上|先)?(?:帮|为|给)您(?:查到|升级|办理|登记|提交|退|补偿|赔|开通|取消|修改|更换|安排|申请|减免|转|备注|加急|发|延长|换|预约|报修|反馈)"
    r"|补偿您|赔偿您|我(?:这边)?(?:查到|看到|发现)|已经?(?:提交|登记|退|取消|办理|修改|安排|申请|备注|处理|开通)|送您|(?<!么)可以(?:给|为|帮)您"
    r"|\b(?:i|we)(?:'ve| have) (?:just |now |already )?(?!to\b)\w+ed\b"
    r"|\bi(?:'ve| have) (?:put|sent|made|set|found|given|taken)\b"
    r"|\bi (?:can see|see that|see your|found|checked|refunded|cancell?ed|upgraded|credited|booked"
    r"|reset|changed|updated)\b"
    r"|\b(?:i|we) can (?:offer|move|give|refund|send|waive|upgrade|switch|replace|credit|reduce|extend"
    r"|put|book|arrange)\b",
    re.IGNORECASE,
)
_PROMISE: Final = re.compile(
    r"(?<![不机社开议])会(?![员议计场话不])(?!有没有)|将(?:会|于|在|为)|保证|承诺|一定(?:会|给|为|帮|送|在|能|到)?|负责到底"
    r"|(?:再|之内|以内|小时内|日内|天内|之前|前)(?:给|为|帮|跟)您|(?:\d|[一二两三四五六七八九十])+个?(?:工作日|天|小时|分钟)(?:之内|以内|内)"
    r"|\b(?:i|we|they|you|it|he|she|engineer|technician|colleague|team|supervisor|manager|refund|money|parcel|replacement)"
    r"(?:'ll| will)\b|\b(?:i|we)(?:'m| am|'re| are) going to\b|\bi promise\b|\b(?:i|we) guarantee\b",
    re.IGNORECASE,
)
_NO_PROMISE: Final = re.compile(
    r"会不会|您会|请问|如果您|祝您|不好意思|\bwill (?:see|check) (?:what|if|for you|now)|let me\b|\bwill you\b"
    r"|'ll (?:see|just) "
    r"|\bwill be happy to\b|\b(?:i|we)(?:'ll| will) (?:look|have a look|take a look|just)\b"
    r"|\byou(?:'ll| will) (?:need|have) to\b"
    r"|\bif you\b|\?",
    re.IGNORECASE,
)
_ACCEPTS: Final = re.compile(
    r"那?好[的吧啊呀]|可以[的吧]?(?:$|[，。])|行[吧啊]?(?:$|[，。])|没问题|谢谢|感谢|满意|不退了|不取消了|继续用|就这样"
    r"|\b(?:will stay|i'll stay|that sounds|sounds (?:good|better|great|fine)|great|perfect|wonderful"
    r"|thank you|thanks|that's fine|happy with)\b",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(
    r"不(?:行|接受|同意|满意|需要了)|还是要(?:退|取消|投诉)|算了"
    r"|\b(?:not good enough|not acceptable|unacceptable|still want|no thanks|i don't want|forget it|not happy)\b",
    re.IGNORECASE,
)
JOINS: Final = re.compile(
    r"^(?:(?:and|but|so|then|also)\b[ ,]*|而且|然后|并且|同时(?=我)|是的[，,]|好的[，,])+", re.IGNORECASE
)
"""At the beginning of a clause that stands alone now."""
SECRET: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){6,}(?!\d)|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
"""Numbers of seven digits and more, and addresses of mail: a summary needs none of them."""


def sentences(text: str) -> list[str]:
    """Sentences with their ends."""
    return [found.group().strip() for found in _SENTENCE.finditer(text) if found.group().strip(" 。！？!?；;.")]


def clauses(sentence: str) -> Iterator[str]:
    """Parts between commas."""
    for found in _CLAUSE.finditer(sentence):
        if found.group().strip("，, "):
            yield found.group()


def substance(text: str) -> int:
    """Words, or Chinese characters, that it has without a greeting."""
    said = GREETING.sub("", text)
    characters = len(_HAN.findall(said))
    return characters or 2 * len(re.findall(r"[A-Za-z']+", said))


def is_done(clause: str) -> bool:
    """Whether an agent tells what was done, found or offered."""
    return _DONE.search(clause) is not None


def is_promise(clause: str) -> bool:
    """Whether an agent commits the company to something."""
    return _PROMISE.search(clause) is not None and _NO_PROMISE.search(clause) is None


def is_answer(clause: str) -> bool:
    """Whether a customer accepts or refuses what was offered."""
    return _ACCEPTS.search(clause) is not None or _REFUSES.search(clause) is not None


def masked(text: str, language: str) -> str:
    """Without numbers and addresses that a summary needs not."""
    return SECRET.sub("[号码]" if language == "zh" else "[number]", text)
