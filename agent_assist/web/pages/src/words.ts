// Chinese and English; one object for each, so that the compiler sees what is missing.

import type { Action, Cause, Label, Level } from "./types";

const en = {
  lang: "en",
  other: "中文",
  overlay: "Call assistant",
  calls: "Calls",
  waiting: "Waiting for a call …",
  waitingHint: "The next call appears here by itself.",
  connecting: "Connecting …",
  retrying: (s: number) => `Connection lost. Trying again in ${s} s.`,
  refused: "The token is missing or wrong. Open the address that warmline up printed.",
  gone: "This call is not known.",
  live: "live",
  ended: "ended",
  lost: "line lost",
  unknownCustomer: "Unknown customer",
  emotionTitle: "Customer's emotion",
  curve: "Emotion curve",
  curveHint: "-5 … +5 over the call",
  turns: { better: "Mood turned for the better", worse: "Mood turned for the worse" },
  causes: {
    hold: "after being put on hold",
    silence: "after a silence",
    overtalk: "after both spoke at once",
    agent: "after the agent spoke",
    topic: "when this came up",
    unknown: "no cause seen",
  } satisfies Record<Cause, string>,
  noCurve: "The curve begins with the customer's first words.",
  labels: {
    neutral: "neutral",
    satisfied: "satisfied",
    angry: "angry",
    anxious: "anxious",
    disappointed: "disappointed",
    unknown: "unknown",
  } satisfies Record<Label, string>,
  sure: (p: number) => `${p} % sure`,
  risk: "Churn risk",
  levels: {
    none: "low",
    watch: "watch",
    elevated: "elevated",
    critical: "critical",
    unknown: "unknown",
  } satisfies Record<Level, string>,
  riskUnknown: "Nothing is known of this customer, and the call gives no sign yet.",
  reasons: {
    cancel: "wants to leave",
    competitor: "speaks of a competitor",
    refund: "wants money back",
    complaint: "complains",
    repeat_contact: "has called before",
    price: "finds it expensive",
    saved: "says they stay",
    satisfied: "is satisfied",
    unresolved: "still unresolved",
    agitation: "is agitated",
    valence: "mood of the words",
    valence_trend: "mood over the call",
    swings: "mood swings",
    base_rate: "average customer",
  } as Record<string, string>,
  alerts: "Alerts",
  cards: "Advice",
  noCards: "Nothing to advise at the moment.",
  checklist: "Checklist",
  rules: { greeting: "Greet the customer", closing: "Confirm and thank" } as Record<string, string>,
  heard: "Heard",
  source: "Source",
  actions: { used: "Use", dismissed: "Dismiss", up: "Good advice", down: "Bad advice" } satisfies Record<Action, string>,
  notSaved: "This could not be saved. Try again.",
  transcript: "Transcript",
  noWords: "Nothing has been said yet.",
  customerOnly: "Customer only",
  autoScroll: "Follow",
  newest: "Jump to newest",
  who: { customer: "Customer", agent: "Agent" },
  talking: "speaking …",
  share: "Agent talks",
  interruptions: "Interruptions",
  silence: "Silence",
  speed: "Customer's pace",
  wpm: "words/min",
  cpm: "chars/min",
  degraded: "Works less well",
  pressed: "Keys pressed:",
  theme: "Light or dark",
  search: "Search customer, agent, queue or call",
  noCalls: "No calls yet. Point your telephone system at the door that warmline up printed, or run warmline play.",
  noMatch: "No call matches.",
  columns: ["Customer", "Status", "Started", "Length", "Emotion", "Risk", "Alerts", "Agent"],
  keys: "j / k to move, Enter to open, / to search",
};

export type Words = typeof en;

const zh: Words = {
  lang: "zh-CN",
  other: "English",
  overlay: "通话助手",
  calls: "通话列表",
  waiting: "等待来电……",
  waitingHint: "下一个通话会自动出现在这里。",
  connecting: "正在连接……",
  retrying: (s) => `连接已断开,${s} 秒后重试。`,
  refused: "令牌缺失或错误。请打开 warmline up 打印的地址。",
  gone: "没有这个通话。",
  live: "通话中",
  ended: "已结束",
  lost: "线路中断",
  unknownCustomer: "未知客户",
  emotionTitle: "客户情绪",
  curve: "情绪曲线",
  curveHint: "全程 -5 … +5",
  turns: { better: "情绪好转", worse: "情绪变差" },
  causes: {
    hold: "在被要求等待之后",
    silence: "在沉默之后",
    overtalk: "在双方同时说话之后",
    agent: "在坐席说话之后",
    topic: "谈到此事时",
    unknown: "未发现原因",
  },
  noCurve: "客户开口后显示曲线。",
  labels: { neutral: "平静", satisfied: "满意", angry: "愤怒", anxious: "焦虑", disappointed: "失望", unknown: "未知" },
  sure: (p) => `把握 ${p} %`,
  risk: "流失风险",
  levels: { none: "低", watch: "关注", elevated: "较高", critical: "严重", unknown: "未知" },
  riskUnknown: "没有该客户的资料,通话中也还没有迹象。",
  reasons: {
    cancel: "想要离开",
    competitor: "提到竞争对手",
    refund: "要求退款",
    complaint: "投诉抱怨",
    repeat_contact: "重复来电",
    price: "嫌价格贵",
    saved: "表示留下",
    satisfied: "感到满意",
    unresolved: "尚未解决",
    agitation: "情绪激动",
    valence: "用词情绪",
    valence_trend: "情绪走势",
    swings: "情绪波动",
    base_rate: "平均水平",
  },
  alerts: "警报",
  cards: "建议",
  noCards: "目前没有建议。",
  checklist: "清单",
  rules: { greeting: "问候客户", closing: "确认解决并致谢" },
  heard: "听到",
  source: "来源",
  actions: { used: "采用", dismissed: "忽略", up: "有帮助", down: "没帮助" },
  notSaved: "没有保存成功,请重试。",
  transcript: "对话",
  noWords: "还没有人说话。",
  customerOnly: "只看客户",
  autoScroll: "跟随",
  newest: "跳到最新",
  who: { customer: "客户", agent: "坐席" },
  talking: "正在说……",
  share: "坐席说话占比",
  interruptions: "打断",
  silence: "静默",
  speed: "客户语速",
  wpm: "词/分",
  cpm: "字/分",
  degraded: "服务降级",
  pressed: "按键：",
  theme: "明暗主题",
  search: "搜索客户、坐席、队列或通话",
  noCalls: "还没有通话。请把电话系统接到 warmline up 打印的地址,或运行 warmline play。",
  noMatch: "没有匹配的通话。",
  columns: ["客户", "状态", "开始", "时长", "情绪", "风险", "警报", "坐席"],
  keys: "j / k 移动,回车打开,/ 搜索",
};

const KEY = "warmline.language";

export function chosenLanguage(): "zh" | "en" {
  const kept = localStorage.getItem(KEY);
  if (kept === "zh" || kept === "en") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export function keepLanguage(language: "zh" | "en"): void {
  localStorage.setItem(KEY, language);
}

export function words(language: "zh" | "en"): Words {
  return language === "zh" ? zh : en;
}

export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  return `${hours ? `${hours}:${two(Math.floor(s / 60) % 60)}` : Math.floor(s / 60)}:${two(s % 60)}`;
}
