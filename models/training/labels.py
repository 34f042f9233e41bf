"""
What the labels of public sets of texts say of our intents.

A label stands for one intent or for none. Where its texts may as well want another one, as "card about to expire" may
ask for the price of a new card, that intent is unsure: such a text neither teaches nor tests it. Of intents that a set
knows nothing of, it tests none.
"""

import csv
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from models.intent import INTENTS, Intent


class Labelled(NamedTuple):
    """A text and what is known of it."""

    text: str
    language: Literal["zh", "en"]
    intents: frozenset[Intent]
    unsure: frozenset[Intent] = frozenset()
    """Neither there nor not there, as far as is known."""


class Source(NamedTuple):
    """A set, by the name of its directory."""

    language: Literal["zh", "en"]
    licence: str
    known: frozenset[Intent]
    """What it can test."""
    labels: dict[str, Intent]
    unsure: dict[Intent, str]
    """Labels, separated by spaces."""
    open: bool = True


_I = Intent
_BANKING_FEES: Final = (
    "card_payment_fee_charged cash_withdrawal_charge exchange_charge extra_charge_on_statement "
    "top_up_by_bank_transfer_charge top_up_by_card_charge transfer_fee_charged"
)

SOURCES: Final = {
    "en_banking77": Source(
        language="en",
        licence="CC BY 4.0",
        known=frozenset({_I.CANCEL, _I.REFUND, _I.DELIVERY, _I.PRICE, _I.TECHNICAL_FAULT}),
        labels={
            "Refund_not_showing_up": _I.REFUND,
            "request_refund": _I.REFUND,
            "terminate_account": _I.CANCEL,
            "cancel_transfer": _I.CANCEL,
            "card_arrival": _I.DELIVERY,
            "card_delivery_estimate": _I.DELIVERY,
            "contactless_not_working": _I.TECHNICAL_FAULT,
            "card_not_working": _I.TECHNICAL_FAULT,
            "virtual_card_not_working": _I.TECHNICAL_FAULT,
            **dict.fromkeys(_BANKING_FEES.split(), _I.PRICE),
        },
        unsure={
            _I.CANCEL: "direct_debit_payment_not_recognised compromised_card lost_or_stolen_card lost_or_stolen_phone "
            "card_payment_not_recognised request_refund reverted_card_payment?",
            _I.REFUND: "cancel_transfer transaction_charged_twice card_payment_not_recognised "
            "cash_withdrawal_not_recognised direct_debit_payment_not_recognised reverted_card_payment? "
            "wrong_amount_of_cash_received card_payment_wrong_exchange_rate wrong_exchange_rate_for_cash_withdrawal "
            f"top_up_reverted transfer_not_received_by_recipient declined_cash_withdrawal {_BANKING_FEES}",
            _I.DELIVERY: "card_about_to_expire order_physical_card get_physical_card getting_spare_card "
            "getting_virtual_card lost_or_stolen_card activate_my_card card_linking country_support request_refund",
            _I.PRICE: "exchange_rate card_payment_wrong_exchange_rate wrong_exchange_rate_for_cash_withdrawal "
            "order_physical_card getting_spare_card getting_virtual_card exchange_via_app transaction_charged_twice "
            "card_about_to_expire topping_up_by_card top_up_by_cash_or_cheque transfer_into_account receiving_money "
            "get_disposable_virtual_card card_delivery_estimate fiat_currency_support automatic_top_up "
            "supported_cards_and_currencies top_up_limits pending_card_payment",
            _I.TECHNICAL_FAULT: "failed_transfer top_up_failed declined_card_payment declined_cash_withdrawal "
            "declined_transfer top_up_reverted reverted_card_payment? beneficiary_not_allowed card_swallowed "
            "unable_to_verify_identity passcode_forgotten pin_blocked activate_my_card card_linking "
            "balance_not_updated_after_bank_transfer balance_not_updated_after_cheque_or_cash_deposit "
            "apple_pay_or_google_pay atm_support pending_top_up pending_transfer transfer_not_received_by_recipient "
            "card_acceptance change_pin get_physical_card topping_up_by_card pending_cash_withdrawal "
            "lost_or_stolen_phone exchange_via_app Refund_not_showing_up verify_my_identity",
        },
    ),
    "en_clinc150": Source(
        language="en",
        licence="CC BY 3.0",
        known=frozenset({_I.CANCEL, _I.DELIVERY, _I.PRICE, _I.THANKS}),
        labels={
            "cancel_reservation": _I.CANCEL,
            "order_status": _I.DELIVERY,
            "replacement_card_duration": _I.DELIVERY,
            "international_fees": _I.PRICE,
            "thank_you": _I.THANKS,
        },
        unsure={
            _I.CANCEL: "cancel no calendar_update reminder_update todo_list_update shopping_list_update oos "
            "alarm reset_settings freeze_account insurance_change",
            _I.DELIVERY: "new_card order application_status order_checks report_lost_card damaged_card "
            "lost_luggage oos",
            _I.PRICE: "apr interest_rate bill_balance min_payment taxes book_flight book_hotel exchange_rate "
            "car_rental oos credit_limit insurance flight_status gas uber carry_on report_fraud spending_history "
            "transactions",
            _I.TECHNICAL_FAULT: "card_declined account_blocked damaged_card jump_start schedule_maintenance "
            "sync_device oil_change_how tire_change tire_pressure oos find_phone reset_settings",
            _I.THANKS: "goodbye greeting yes no",
            _I.COMPETITOR: "oos",
            _I.REFUND: "report_fraud oos",
            _I.ALREADY_TOLD: "repeat no",
        },
    ),
    "en_dstc11_insurance": Source(
        language="en",
        licence="CDLA-Permissive-2.0",
        known=frozenset({_I.CANCEL, _I.PRICE}),
        labels={"CancelPlan": _I.CANCEL, "CancelAutomaticBilling": _I.CANCEL, "GetQuote": _I.PRICE},
        unsure={
            _I.CANCEL: "RemoveDependent ChangePlan UpdateBillingFrequency UpdatePaymentPreference",
            _I.PRICE: "ReportBillingIssue CheckAccountBalance EnrollInPlan PayBill ChangePlan",
            _I.COMPLAINT: "ReportBillingIssue",
            _I.TECHNICAL_FAULT: "ReportBillingIssue ReportAutomobileAccident ResetPassword FileClaim",
        },
    ),
    "en_bitext": Source(
        language="en",
        licence="CDLA-Sharing-1.0",
        known=frozenset({_I.CANCEL, _I.REFUND, _I.COMPLAINT, _I.PRICE, _I.DELIVERY}),
        labels={
            "cancel_order": _I.CANCEL,
            "delete_account": _I.CANCEL,
            "get_refund": _I.REFUND,
            "track_refund": _I.REFUND,
            "complaint": _I.COMPLAINT,
            "check_cancellation_fee": _I.PRICE,
            "delivery_period": _I.DELIVERY,
            "delivery_options": _I.DELIVERY,
            "track_order": _I.DELIVERY,
        },
        unsure={
            _I.CANCEL: "check_cancellation_fee newsletter_subscription change_order switch_account",
            _I.REFUND: "check_refund_policy",
            _I.COMPLAINT: "review contact_human_agent contact_customer_service payment_issue registration_problems",
            _I.PRICE: "check_invoice get_invoice check_payment_methods",
            _I.DELIVERY: "set_up_shipping_address change_shipping_address place_order",
            _I.TECHNICAL_FAULT: "payment_issue registration_problems recover_password cancel_order place_order "
            "edit_account change_shipping_address set_up_shipping_address change_order create_account delete_account "
            "switch_account newsletter_subscription",
        },
    ),
    "en_goemotions": Source(
        language="en",
        licence="CC BY 4.0",
        known=frozenset({_I.THANKS}),
        labels={"gratitude": _I.THANKS, "neutral": _I.THANKS},
        unsure={},
    ),
    "zh_cped": Source(language="zh", licence="Apache-2.0", known=frozenset({_I.THANKS}), labels={}, unsure={}),
    "zh_crosswoz": Source(
        language="zh", licence="Apache-2.0", known=frozenset({_I.THANKS, _I.PRICE}), labels={}, unsure={}
    ),
    "en_cfpb_complaints": Source(
        language="en", licence="public domain", known=frozenset({_I.COMPLAINT}), labels={}, unsure={}
    ),
    "en_complaints": Source(
        language="en",
        licence="none stated: research only",
        known=frozenset({_I.COMPLAINT}),
        labels={"complaint": _I.COMPLAINT},
        unsure={},
        open=False,
    ),
}

_THANKING: Final = re.compile(r"thank|cheers|appreciat|谢|感激|辛苦", re.IGNORECASE)
_SPOKEN_OF: Final = {
    _I.THANKS: _THANKING,
    _I.COMPLAINT: re.compile(
        r"complain|ridiculous|unaccept|terribl|awful|angry|upset|frustrat|goddamn|damn|fuck|shit|bullshit|hell"
        r"|投诉|太差|过分|骗|气死|领导|经理|道歉",
        re.IGNORECASE,
    ),
    _I.REPEATED_CONTACT: re.compile(
        r"\btimes|twice|again|already|before|contacted|called|\dx\b|[几两三四五]次|又|第.次|上次|找过", re.IGNORECASE
    ),
    _I.ALREADY_TOLD: re.compile(r"already|again|told|said|explained|说|讲|问过|告诉", re.IGNORECASE),
    _I.PROMISE_ASKED: re.compile(
        r"promise|guarantee|asap|when will|how soon|by when|call me|let me know"
        r"|保证|答应|一定|什么时候|电话|通知|告诉我|等你",
        re.IGNORECASE,
    ),
    _I.COMPETITOR: re.compile(r"other (bank|compan)|elsewhere|somewhere else|competitor|别的|别人|别家", re.IGNORECASE),
    _I.REFUND: re.compile(r"refund|money back|reimburs|退款|退钱|还钱|赔", re.IGNORECASE),
    _I.CANCEL: re.compile(r"\bcancel|terminat|取消|不要了|不干了|退|分手|散伙|离婚", re.IGNORECASE),
    _I.PRICE: re.compile(r"多少钱|价|贵|便宜|费", re.IGNORECASE),
    _I.DELIVERY: re.compile(r"快递|送|寄|货", re.IGNORECASE),
    _I.TECHNICAL_FAULT: re.compile(
        r"not working|broken|doesn'?t work|won'?t work|\berror\b|crash|坏|修|故障|断", re.IGNORECASE
    ),
}
"""Words by which a text may want what its set's labels do not tell of."""
_EVAL_SHARE: Final = 5
"""Of a set without files for it, one dialogue in five is held out."""


def read(directory: Path, split: Literal["train", "public_eval"]) -> list[Labelled]:
    """
    The texts of a set.

    Args:
        directory: Named as in ``SOURCES``.
        split: Sets that come undivided are divided by a hash of their dialogues.
    """
    name = directory.name
    source = SOURCES[name]
    if name == "zh_crosswoz":
        rows = list(_crosswoz(directory / "dialogues.jsonl.gz", split))
    elif name == "zh_cped":
        rows = list(_cped(directory / f"{split}.csv.gz"))
    elif name == "en_cfpb_complaints":
        rows = list(_cfpb(directory / "sample.csv.gz", split))
    elif name == "en_goemotions":
        rows = list(_goemotions(directory / f"{split}.csv.gz"))
    else:
        rows = list(_labelled(directory / f"{split}.csv.gz", source))
    return [row._replace(unsure=(row.unsure | _guarded(row, source)) - row.intents) for row in rows]


def _guarded(row: Labelled, source: Source) -> frozenset[Intent]:
    return frozenset(i for i, said in _SPOKEN_OF.items() if i not in source.known and said.search(row.text))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _labelled(path: Path, source: Source) -> Iterator[Labelled]:
    unsure = {intent: frozenset(labels.split()) for intent, labels in source.unsure.items()}
    for row in _rows(path):
        label = row.get("intent") or row["label"]
        meant = source.labels.get(label)
        yield Labelled(
            row["text"],
            source.language,
            frozenset() if meant is None else frozenset({meant}),
            frozenset(intent for intent, labels in unsure.items() if label in labels),
        )


def _goemotions(path: Path) -> Iterator[Labelled]:
    """Thanks and plain remarks; the other emotions say nothing of what is wanted."""
    for row in _rows(path):
        labels = row["labels"].split("|") if "|" in row["labels"] else re.split(r"[,; ]+", row["labels"])
        if "gratitude" in labels:
            yield Labelled(row["text"], "en", frozenset({_I.THANKS}), frozenset({_I.COMPLAINT}))
        elif labels == ["neutral"]:
            yield Labelled(row["text"], "en", frozenset(), frozenset({_I.COMPLAINT}))


def _cped(path: Path) -> Iterator[Labelled]:
    """What people say to each other in television plays: thanks, and much that wants nothing; displeasure is unsure."""
    for row in _rows(path):
        unsure = frozenset({_I.COMPLAINT}) if row["sentiment"] == "negative" else frozenset()
        thanked = row["dialog_act"] == "thanking"
        yield Labelled(
            row["text"],
            "zh",
            frozenset({_I.THANKS}) if thanked else frozenset(),
            unsure | (frozenset() if thanked or not _THANKING.search(row["text"]) else frozenset({_I.THANKS})),
        )


def _held_out(key: str) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] % _EVAL_SHARE == 0


def _crosswoz(path: Path, split: str) -> Iterator[Labelled]:
    """What tourists ask of places: thanks and prices; the rest wants nothing that we know."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        dialogues = [json.loads(line) for line in lines]
    for dialogue in dialogues:
        if _held_out(dialogue["id"]) != (split == "public_eval"):
            continue
        for turn in dialogue["turns"]:
            if turn["role"] != "usr":
                continue
            acts = [(act[0], act[1], act[2]) for act in turn["acts"]]
            asked = any(kind == "Request" and slot in {"票价", "门票", "价格", "人均消费"} for kind, _, slot in acts)
            named = any(slot in {"票价", "门票", "价格", "人均消费"} for _, _, slot in acts)
            thanked = any(act[:2] == ("General", "thank") for act in acts)
            meant = {_I.PRICE} if asked else set()
            unsure = {_I.PRICE} if named and not asked else set()
            yield Labelled(
                turn["text"], "zh", frozenset(meant | ({_I.THANKS} if thanked else set())), frozenset(unsure)
            )


def _cfpb(path: Path, split: str) -> Iterator[Labelled]:
    """Short complaints to an authority: complaints, whatever else they want."""
    for row in _rows(path):
        text = re.sub(r"\s+", " ", row["text"]).strip()
        if 20 <= len(text) <= 300 and _held_out(text) == (split == "public_eval"):
            yield Labelled(text, "en", frozenset({_I.COMPLAINT}), frozenset(INTENTS) - {_I.COMPLAINT})
