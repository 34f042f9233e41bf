"""
Whether the agent took up what the customer felt, and greeted them by name: judged on the record, by what was said.

Words alone are judged, never the agent's voice; a phrase that we do not know is missed.
"""

from collections.abc import Iterable
from typing import Final

from agent_assist.advice.names import Lexicon, forms
from agent_assist.advice.phrases import Text, compile_phrase, negated
from agent_assist.advice.spoken import spoken
from agent_assist.call.measures import is_assent
from agent_assist.types import Acknowledgement
from audio.types import Channel
from models.types import EmotionLabel, Utterance

WITHIN: Final = 2
"""Utterances of the agent, assents aside, in which the emotion is to be taken up."""
GREETING_WITHIN: Final = 3
"""Utterances of the agent in which the greeting is."""
LEAST_CONFIDENCE: Final = 0.5
"""Of an emotion that is to be taken up, as for the reply that matches it."""

_SOOTHES: Final = (
    "(我|我们)[也|都][很|能|非常|完全|十分|特别|真的|可以|能够](理解|体会|明白您的心情)",
    "(完全|非常|十分|特别|很|真的)(能|能够|可以)(理解|体会)",
    "(完全|非常|十分|特别)(理解|体会|明白)",
    "(知道|明白|理解|体会|体谅|懂|听得出|听得出来|看得出|看得出来|感觉到|感受到)*(您|你)*(急|着急|生气|心情|感受|委屈|担心|担忧|难处|难受|失望|失落|无奈|焦虑|不容易|辛苦|重要)",
    "(您|你)*(生气|着急|委屈|担心|难过|失望|不满|心情|感受|担忧|失落)*(我|是|都)*(理解|明白|体会|应该|难免|正常|懂)",
    "(您|你)*(心里|肯定|一定)*(不好受|不舒服|难受|难过|失望)",
    "(换|换作|换成|要|如果)[了|是](我|谁|任何人|别人)*(会|得|受不了|急|火|生气|难过)",
    "(抱歉|对不起|不好意思|对不住|过意不去|惭愧|致歉|道歉|道个歉|赔不是|赔罪)",
    "(给您|让您)*(添麻烦|添堵|带来不便|带来困扰|久等|失望|担心|着急|不愉快|受委屈|白跑|白等)",
    "(别|别太|别这么|不要|不要太|不用|不用太|不必|莫|先别)(着急|担心|慌|紧张|怕|害怕|焦虑|上火|生气|难过)",
    "(您|请|先)别急",
    "(您|请|请您)*(放心|安心|踏实|放宽心|宽心|消消气|消气)",
    "(是|确实是|都是|真是)我们*(不对|不好|不该|没做好|没做到位|做得不够|错|疏忽|失误|责任|问题)",
    "我们*(没做好|做得不够|做得不好|考虑不周|疏忽了|失误|辜负)",
    "(责任|错|问题)在我们",
    "辜负*(信任|期望|支持)",
    "(不该|不应该|不应当)(发生|出现|这样|让您|有)",
    "(遗憾|可惜)*(您|没能|换作|我们|没有)",
    "(很|非常|确实|真|真是)(遗憾|可惜)",
    "(我|我会|我们会)*(优先|马上|立刻|立即|尽快)*(处理|解决|跟进|核实|升级|加急)",
    "(优先|加急)(处理|解决)",
    "(我|我们)*(盯着|盯到底|负责到底|跟进到底|陪着您|陪您)",
    "有我在",
    "不会(耽误|让您|丢)",
    "一起*(解决|想办法)",
    "感谢您的(理解|反馈|谅解|包容)",
    "i (do|can|really|completely|fully|totally|truly|absolutely|certainly|quite) (understand|appreciate|"
    "see|imagine|sympathise|sympathize)",
    "i * (understand|appreciate|see|imagine) [just|exactly] (how|why)",
    "(understand|see|know|hear|tell|sense|imagine|appreciate) "
    "[that|how|you are|you feel|this is|this has been|this must be|it is] * "
    "(upset|angry|worried|worrying|stressful|frustrated|frustrating|disappointed|disappointing|anxious|annoyed|annoying|difficult|hard|"
    "tight|weighing|let down|important|need it|want to|feel|fed up|cross)",
    "i hear you",
    "(sorry|apologize|apologise|apologies|forgive us|regret)",
    "(that|it|this) (must|must be|must have been|sounds|is really|is so|is such|is a|has been) * "
    "(frustrating|annoying|upsetting|difficult|worrying|disappointing|maddening|awful|horrible|scary|"
    "stressful|shame|pity|let down|hard|nightmare)",
    "(frustrating|annoying|upsetting|worrying|disappointing|stressful) * (that|this|it) (is|was|must)",
    "(do not worry|not to worry|no need to (worry|panic)|rest assured|mind at ease|in good hands|deep breath)",
    "(have|got) (every|all the|a|good) (right|reason) to",
    "(are|were) (right|entitled) to (be|feel|expect)",
    "not blame you",
    "(anyone|anybody|who) would be",
    "i would be * (too|as well)",
    "(of course|naturally|no wonder) you are *",
    "(should|ought) not have (had|been|happened|to)",
    "should never have *",
    "never have happened",
    "(let|letting) you down",
    "(fell|fallen|fall) short",
    "(did|do|have) not (live|lived) up to",
    "no excuse",
    "no excuses",
    "(our|my) (fault|mistake|responsibility)",
    "(such|what) a (shame|pity|mess)",
    "make (up for|it up to) *",
    "put (it|this|that|things) right",
    "not good enough (from|of) us",
    "(sort|solve|fix|go through|deal with|get through) (this|it) * (together|for you|right away|right now)",
    "(am|right here) with you",
    "it (is|will be) [going to be] (all right|alright|okay|fine)",
    "(my|your|our|a|top) [first|top] priority",
    "(all|everything) i can",
    "(top of the|front of the) (list|queue)",
    "expected more",
    "(take|takes|taking) (this|that|it) seriously",
)
_THANKS: Final = (
    "(谢谢|感谢|多谢)[您|你]*(认可|肯定|夸奖|夸|支持|理解|反馈|好评|信任|鼓励|这么说)",
    "(很高兴|高兴|开心|荣幸|替您高兴)*(帮到您|帮您|为您|您|听)",
    "(帮到|帮上|能帮)您*(高兴|开心|荣幸)",
    "听您*(高兴|开心)",
    "替您(高兴|开心)",
    "(不客气|甭客气|别客气|太客气|不用谢|不必谢|别这么说|哪里哪里|过奖)",
    "(应该的|应该做的|分内的|分内事|举手之劳)",
    "您(满意|喜欢|开心|高兴)*(就好|就行|我就)",
    "您的*(认可|满意|肯定)是",
    "(glad|happy|pleased|delighted|great|good|lovely|wonderful|nice) [i|we|i was] [could|can|that|"
    "able] * (help|hear|working|sorted)",
    "(glad|happy|pleased|delighted) (it is|that is|you are|you) *",
    "(happy|glad) to help",
    "you are [very|most] welcome",
    "(kind|nice|sweet|lovely) of you",
    "(your|the|those|such) (kind|nice|lovely) (words|feedback|comment)",
    "(thank you|thanks) for (saying|your|the|those) * (kind|lovely|nice|feedback|loyalty|words|compliment|trust)",
    "(thank you|thanks) for (saying|your feedback|your loyalty|your trust)",
    "(appreciate|love) (you|hearing|your) (saying|that|kind|words|telling)",
    "my pleasure",
    "(made|make) my day",
    "do not mention it",
    "no problem [at all]",
    "any time",
    "what i am here for",
    "(nice|lovely|good|pleasure) (talking|speaking|chatting) *",
)
_NOT_WITHIN: Final = {
    True: (
        "(welcome|free) to (visit|call|come|use|try|join)",
        "(are|were|be) you (happy|pleased|glad) *",
        "(不满意|不高兴)*",
        "(will|would) be (glad|happy) when *",
    ),
    False: (
        # Sorry as a formula, before a question or a refusal.
        "(抱歉|对不起|不好意思)*(请问|没听清|再说一遍|再说一次|重复一下|打断|打扰|贵姓|尾号|麻烦您|是多少|报一下)",
        "(抱歉|对不起|不好意思)*(不归|不行|不能|不可以|办不了|处理不了|解决不了|超过|没有库存|没货|没有人接|不支持|不在|等级|做不了|无法)",
        "(没|没有|不用|不会|不必|不该|什么好)*(道歉|抱歉)[的]",
        "[我|我们](体会|理解|明白|体谅)不(到|了)",
        "(请|麻烦|希望)[您|你](理解|体谅|谅解|明白)",
        "(您|你)(理解|明白)(一下|我|吗|了吗)",
        "(您|你)*(明白|理解)*(吗|意思)",
        "[您|请|请您][可以|能]放心(上传|填写|使用|点|提交|操作|键)",
        "[您|先|请](别|不要|先别)(急着|着急|急)(挂|点|下单|付款|走|签|着)",
        "耐心等待",
        "(解决|处理)不了",
        "(不|没|没有|并不)是我们*(问题|责任|错)",
        "没有让您*",
        "(正在|已经在)处理*",
        "(处理|解决)(时间|流程|方式|中)",
        "一起(核对|看|办理)*",
        "(上火|生气|着急|急|担心)(也没|没有用|的是哪|的话)*",
        "担心*(哪|什么)",
        "sorry [but|and|i] (could you|can you|may i|what is|what was|what did|which|who|when|repeat|say that|"
        "to interrupt|did not catch|can not hear|is it|hold on)",
        "sorry * (not my|not our|no one|nobody|does not|do not|can not|not possible|not include|include|"
        "out of|not covered|not available|closed|department|unable|policy|ended|only)",
        "(not|nothing|never) * (apologise|apologize|apologise for|say sorry|sorry for|our fault)",
        "your (mistake|fault) *",
        "(not|was not|is not) (our|my) (fault|mistake|responsibility)",
        "priority (queue|lane|boarding|customers|members|pass)",
        "imagine (the|it is in|that the|you have) *",
        "do you (understand|see|know|hear) *",
        "(not|never) (understand|see|know) why *",
        "understand that (you|it) (ordered|bought|paid|called|want|was|is a|sent) *",
        "please understand *",
        "appreciate (that|it) but",
        "appreciate your (time|patience)",
        "[i] (can|could) (see|hear) (that|it) (on|in|from) *",
        "see that the *",
        "(must|sounds) * (router|wrong|form|cable|battery|setting)",
        "(make|making) (sure|certain) *",
    ),
}
"""What stands within one of these takes up nothing."""
_PHRASES: Final = {
    True: tuple(compile_phrase(phrase) for phrase in _THANKS),
    False: tuple(compile_phrase(phrase) for phrase in _SOOTHES),
}
_AROUND: Final = {satisfied: tuple(map(compile_phrase, phrases)) for satisfied, phrases in _NOT_WITHIN.items()}
_NEGATIVE: Final = frozenset({EmotionLabel.ANGRY, EmotionLabel.ANXIOUS, EmotionLabel.DISAPPOINTED})


def takes_up(text: str, emotion: EmotionLabel) -> bool:
    """Whether an agent who says this takes up such an emotion of the customer."""
    said = Text.of(spoken(text))
    satisfied = emotion is EmotionLabel.SATISFIED
    around = [each for phrase in _AROUND[satisfied] for each in phrase.find(said)]
    return any(
        not negated(said, found) and not any(one.start <= found.start and found.end <= one.end for one in around)
        for phrase in _PHRASES[satisfied]
        for found in phrase.find(said)
    )


def acknowledgements(utterances: Iterable[Utterance]) -> tuple[Acknowledgement, ...]:
    """
    For each stretch of an emotion of the customer, whether the agent took it up.

    A stretch is one emotion until the agent has said something: what follows within it asks for no other reply. It is
    not judged where the agent did not come to say anything more.

    Args:
        utterances: Of a whole call, in any order.
    """
    said = sorted(utterances, key=lambda one: (one.start_ms, one.channel))
    found: list[Acknowledgement] = []
    last: EmotionLabel | None = None
    for place, one in enumerate(said):
        if one.channel is Channel.AGENT:
            last = last if is_assent(one.text) else None
            continue
        label = _felt(one)
        if label is None or label is last:
            continue
        last = label
        after = [each for each in said[place + 1 :] if each.start_ms >= one.start_ms]
        replies = [each for each in after if each.channel is Channel.AGENT and not is_assent(each.text)][:WITHIN]
        if replies:
            by = next((each.id for each in replies if takes_up(each.text, label)), None)
            found.append(Acknowledgement(utterance_id=one.id, emotion=label, acknowledged=by is not None, by=by))
    return tuple(found)


def greeted_by_name(utterances: Iterable[Utterance], customer_name: str | None) -> bool | None:
    """
    Whether the agent says the customer's name in their first utterances; None where the name is not known.

    The name is heard by its sound; of a Chinese name the family name with a title is enough, of an English one the
    first or the last.
    """
    names = forms(customer_name or "")
    if not names:
        return None
    lexicon = Lexicon(dict.fromkeys(names, ()))
    agent = sorted((one for one in utterances if one.channel is Channel.AGENT), key=lambda one: one.start_ms)
    return any(lexicon.find(spoken(one.text)) for one in agent[:GREETING_WITHIN])


def _felt(said: Utterance) -> EmotionLabel | None:
    emotion = said.emotion
    if emotion is None or emotion.confidence < LEAST_CONFIDENCE:
        return None
    return emotion.label if emotion.label in _NEGATIVE or emotion.label is EmotionLabel.SATISFIED else None
