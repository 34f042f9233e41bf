"""What a list of keywords tells of an utterance: substrings, as they would be written down in an afternoon."""

from typing import Final

KEYWORDS: Final[dict[str, tuple[str, ...]]] = {
    "cancel_intent": (
        *("cancel", "close my account", "unsubscribe", "terminate", "end my contract", "delete my account"),
        *("取消", "退订", "注销", "销户", "解约", "停机", "转网"),
    ),
    "refund": ("refund", "money back", "reimburse", "退款", "退钱", "退费", "返还"),
    "matched_reply": (
        *("complain", "complaint", "terrible", "awful", "unacceptable", "ridiculous", "worst", "fed up"),
        *("投诉", "太差", "差劲", "骗人", "不满", "态度差"),
    ),
    "price": (
        *("price", "cost", "expensive", "fee", "charge", "how much", "discount"),
        *("多少钱", "价格", "太贵", "费用", "收费", "便宜", "优惠", "资费"),
    ),
    "delivery": (
        *("deliver", "shipping", "arrive", "package", "parcel", "track", "my order"),
        *("快递", "物流", "发货", "包裹", "到货", "没收到", "送到"),
    ),
    "technical_fault": (
        *("not working", "doesn't work", "error", "broken", "crash", "can't connect", "no signal", "is down"),
        *("坏了", "故障", "连不上", "打不开", "用不了", "没信号", "断网", "闪退", "报错"),
    ),
    "repeated_contact": (
        *("second time", "third time", "called before", "called yesterday", "again and again", "called twice"),
        *("第二次", "第三次", "打过电话", "又打", "好几次", "上次打"),
    ),
    "already_told": (
        *("already told", "already said", "already gave", "just told you", "told you"),
        *("说过了", "刚才说", "报过", "已经说", "给过"),
    ),
    "promise_asked": (
        *("promise", "guarantee", "when will", "how long", "are you sure"),
        *("什么时候", "多久", "保证", "承诺", "确定吗"),
    ),
    "competitor": (
        *("competitor", "another provider", "another company", "switch to", "elsewhere", "better deal"),
        *("别家", "其他平台", "换一家", "对手", "人家", "隔壁"),
    ),
}
"""By the rule of the default playbook that is meant for the same."""


def said(rule: str, text: str) -> bool:
    """Whether a keyword of the rule stands in an utterance."""
    lower = text.lower()
    return any(word in lower for word in KEYWORDS[rule])
