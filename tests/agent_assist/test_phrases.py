"""Ways of saying what the default playbook listens for, and of saying what only looks like it."""

from collections.abc import Callable

import pytest

Fired = Callable[[str, str], set[str]]

CANCEL = [
    "再不解决我就要退款",
    "我要退款",
    "这个东西我不要了给我退款吧",
    "我想退货",
    "我想把这个套餐取消了",
    "帮我取消订单",
    "麻烦给我办一下退订",
    "我要求全额退款",
    "你直接把钱退给我",
    "我要注销账号",
    "我不想用你们家了",
    "合同到期我就不续了",
    "我打算携号转网",
    "以后再也不在你们这儿买了",
    "我决定换一家了",
    "我要推款",
    "我想退或",
    "I'd like to cancel my plan at the end of this month.",
    "I want to cancel.",
    "please cancel my subscription",
    "how do I close my account",
    "I'm leaving you guys for good",
    "I want my money back",
    "I am going to switch to another provider",
    "I'll take my business elsewhere",
    "can you end my contract today",
    "I don't want to renew my contract",
    "I want out of this contract",
    "I need this service terminated",
    "I want to return this and get a refund",
    "I'm done with your company",
    "why can't I cancel online",
]
NO_CANCEL = [
    "我不退了",
    "那我就不退款了",
    "我不是要退款",
    "我没有说要取消订单",
    "先别取消我的订单",
    "我不想取消套餐",
    "不用退款了谢谢",
    "我本来想退款现在不退了",
    "我要退出这个页面怎么操作",
    "你们的退货政策在哪里看",
    "我的订单被取消了吗",
    "你好我想查一下订单",
    "I will stay.",
    "Okay, great, then I will stay. Thank you very much for your help.",
    "I don't want to cancel",
    "I do not want to cancel my plan, I just want a better price",
    "please don't cancel my order",
    "I was going to cancel but I changed my mind",
    "I never asked you to cancel my order",
    "I'm not leaving you",
    "what is your cancellation policy",
    "the meeting was cancelled",
    "my flight got cancelled so I called late",
    "I would like to know my balance",
]
REPEATED = [
    "这已经是我第三次打电话了",
    "这是我第3次打电话了",
    "我都打了三次电话了",
    "第二次打过来了",
    "我打了好几遍电话了",
    "这些我前天打电话的时候已经说过了",
    "我上周就打过电话",
    "我昨天已经反映过这个问题了",
    "同样的话我说了多少遍了",
    "每次打电话都说在查",
    "已经是弟三次打电话",
    "我之前联系过你们两次",
    "This is the third time I've called.",
    "this is my 3rd call about this",
    "I've called you four times already",
    "I already told you that",
    "I called yesterday about the same problem",
    "I have already explained this to your colleague",
    "how many times do I have to call",
    "I keep calling and nothing happens",
    "I spoke to someone last week about this",
    "I've been calling all week",
]
NOT_REPEATED = [
    "这是我第一次打电话",
    "我第一次联系你们",
    "我没打过电话",
    "我想打电话给快递",
    "给我打个电话吧",
    "第三次世界大战",
    "this is the first time I'm calling",
    "I have never called before",
    "call me back tomorrow",
    "I will call you later",
    "they called me yesterday with an offer",
    "nobody called me back",
    "I bought it for the third time",
]
GREETING = [
    "您好，欢迎致电星河商城客服中心，我是小林，请问有什么可以帮您？",
    "你好这里是星河商城请问有什么可以帮到您",
    "您好欢迎至电星河商城我是小林",
    "早上好，星河客服，工号1024为您服务",
    "您好，很高兴为您服务",
    "感谢您的来电，我是客服小王",
    "喂您好，请讲",
    "Thank you for calling Northwind Mobile, this is Anna speaking. How can I help you today?",
    "Good morning, you're through to Anna, what can I do for you?",
    "Hello, Northwind Mobile, how may I help?",
    "Hi, this is Anna from Northwind.",
    "Welcome to Northwind, my name is Anna.",
    "thanks for calling northwind you're speaking with anna",
]
NO_GREETING = [
    "请稍等",
    "好的麻烦您提供一下订单号",
    "喂",
    "嗯我看一下",
    "听得到吗",
    "please hold the line",
    "one moment",
    "can you hear me",
    "yes",
    "what is your order number",
    "this is not possible",
]
COMPETITOR = [
    "我朋友在云集优选买的，第二天就送到了，以后我也去他们家买！",
    "云集友选比你们便宜多了",
    "我看运集优选只要一半的价格",
    "人家云吉优选都包邮",
    "我准备去云集优先买了",
    "云级优选的服务比你们好",
    "我以前用云集优选，现在想回云集优选了",
    "Blue Harbor offers the same data for half the price.",
    "blue harper gives me twice the data",
    "I saw an ad from Blue Harbour",
    "I'm going to move to blue arbor",
    "blueharbor is cheaper",
    "I used to be with Blue Harbor and I am going back to Blue Harbor",
    "my neighbour is very happy with Blue Harbor's network",
]
NO_COMPETITOR = [
    "我以前用的是云集优选",
    "我是从云集优选转过来的",
    "我之前一直在云集优选买",
    "云南的优选水果",
    "集中优选一下",
    "我不会去云集优选的",
    "I used to be with Blue Harbor",
    "I switched from Blue Harbor to you last year",
    "I left blue harbor because of you",
    "I came from Blue Harbor",
    "I would never go to Blue Harbor",
    "we live near the harbor",
    "the blue one is broken",
    "my car is in the car park",
    "I have a blue harness",
]


@pytest.mark.parametrize("text", CANCEL)
def test_a_wish_to_leave_is_heard(fired: Fired, text: str) -> None:
    assert "cancel_intent" in fired("customer", text)


@pytest.mark.parametrize("text", NO_CANCEL)
def test_what_only_speaks_of_leaving_is_no_wish_to_leave(fired: Fired, text: str) -> None:
    assert "cancel_intent" not in fired("customer", text)


@pytest.mark.parametrize("text", REPEATED)
def test_a_repeated_contact_is_heard(fired: Fired, text: str) -> None:
    assert "repeated_contact" in fired("customer", text)


@pytest.mark.parametrize("text", NOT_REPEATED)
def test_other_calls_are_no_repeated_contact(fired: Fired, text: str) -> None:
    assert "repeated_contact" not in fired("customer", text)


@pytest.mark.parametrize("text", COMPETITOR)
def test_a_competitor_is_heard_however_it_is_recognised(fired: Fired, text: str) -> None:
    assert "competitor" in fired("customer", text)


@pytest.mark.parametrize("text", NO_COMPETITOR)
def test_a_past_or_rejected_competitor_or_another_word_is_none(fired: Fired, text: str) -> None:
    assert "competitor" not in fired("customer", text)


@pytest.mark.parametrize("text", GREETING)
def test_a_greeting_is_ticked(fired: Fired, text: str) -> None:
    assert fired("agent", text) == {"greeting"}


@pytest.mark.parametrize("text", NO_GREETING)
def test_other_openings_are_no_greeting(fired: Fired, text: str) -> None:
    assert fired("agent", text) == set()


@pytest.mark.parametrize("text", [*CANCEL, *REPEATED, *COMPETITOR])
def test_what_the_agent_says_is_never_the_customers_word(fired: Fired, text: str) -> None:
    assert fired("agent", text) <= {"greeting"}
