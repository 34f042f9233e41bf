// The condition of a rule as a person reads it: pure, so that it can be tested.

export type Phrases = Record<string, string[]>;

export interface Rule {
  id: string;
  name: string;
  kind: "card" | "tick" | "alert" | "task" | "webhook";
  speaker: "customer" | "agent" | null;
  languages: string[];
  priority: number;
  title: Record<string, string>;
  text: Record<string, string>;
  phrases: Phrases;
  all_of: Phrases[];
  unless: Phrases;
  not_within: Phrases;
  like: Phrases;
  unlike: Phrases;
  least_likeness: Record<string, number>;
  competitors: boolean;
  intents: string[];
  emotions: string[];
  least_confidence: number;
  either: boolean;
  unless_agent: Phrases;
  agitation: { at: number; rearm: number; utterances: number; speech_ms: number } | null;
  measures: { name: string; speaker: string | null; at_least: number | null; at_most: number | null; last_s: number | null }[];
  risk: { level: string | null; score: number | null } | null;
  profile: string | null;
  not_said: { within_ms: number | null; after: { speaker: string; phrases: Phrases; intents: string[] } | null } | null;
  window: { first: number | null; after_ms: number | null; before_ms: number | null; after_customer: number };
  hits: { at_least: number; within_ms: number | null } | null;
  once: "call" | "name" | "emotion" | "episode" | "always";
  cooldown_ms: number;
  after: boolean;
  early: boolean;
  compliance: boolean;
  offer: boolean;
  due_hours: number | null;
  webhook: string | null;
}

/** One line of a condition: what it is about, and the words or values that it names. */
export interface Line {
  label: string;
  parts: string[];
}

const en = {
  who: { customer: "The customer says", agent: "The agent says", both: "Somebody says" },
  notSaid: (s: string) => `Nobody on that side says ${s}`,
  never: "before the call is over",
  within: (s: string) => `within ${s}`,
  after: "after",
  sinceStart: "since the start of the call",
  together: "and, in the last minute together",
  competitor: "the name of a competitor",
  either: "one of words, sentences, intents and emotions is enough",
  like: "means",
  unlike: "does not rather mean",
  likeness: (language: string, p: number) => `likeness of at least ${p} % in ${language}`,
  intents: "wants",
  emotions: "sounds",
  sure: (p: number) => `at least ${p} % sure`,
  unless: "not with",
  notWithin: "not as part of",
  unlessAgent: "not where the agent just said",
  agitation: "agitated",
  agitatedAt: (at: number, n: number, s: string) => `from ${at} on, for ${n} utterances or ${s} of speech`,
  languages: "in the language",
  measures: "while",
  names: {
    silence_ms: "silence",
    interruptions: "interruptions",
    overtalk_ms: "both speaking",
    non_talk_ms: "time without speech",
    words_per_minute: "words a minute",
    characters_per_minute: "characters a minute",
    talk_share: "share of the talk",
  } as Record<string, string>,
  of: { customer: "customer's", agent: "agent's" } as Record<string, string>,
  lastS: (s: number) => `over the last ${s} s`,
  risk: "churn risk at least",
  profile: "where",
  window: "only",
  first: (n: number) => `in their first ${n} utterances`,
  afterMs: (s: string) => `after ${s} of the call`,
  beforeMs: (s: string) => `in the first ${s} of the call`,
  afterCustomer: (n: number) => `once the customer has said ${n} utterances`,
  hits: (n: number) => `${n} times`,
  inCall: "in the call",
  how: "how often",
  once: { call: "once a call", name: "once for each name", emotion: "once for each emotion", episode: "once for each time of agitation", always: "each time" },
  cooldown: (s: string) => `then not for ${s}`,
  ended: "looked at when the call is over",
  early: "shown while it is still being said",
  compliance: "never held back",
  offer: "held back while the customer is upset",
  does: "does",
  due: (h: number) => `task, due after ${h} h`,
  calls: (name: string) => `message to ${name}`,
  or: "or",
};

const zh: typeof en = {
  who: { customer: "客户说", agent: "坐席说", both: "任一方说" },
  notSaid: (s) => `该方没有说 ${s}`,
  never: "直到通话结束",
  within: (s) => `在 ${s} 内`,
  after: "在此之后",
  sinceStart: "自通话开始",
  together: "并且在最近一分钟内说过",
  competitor: "竞争对手的名字",
  either: "词语、句意、意图、情绪满足其一即可",
  like: "意思是",
  unlike: "而不更像是",
  likeness: (language, p) => `相似度至少 ${p} %（${language}）`,
  intents: "意图是",
  emotions: "情绪是",
  sure: (p) => `把握至少 ${p} %`,
  unless: "不含",
  notWithin: "不属于",
  unlessAgent: "坐席刚说过则不算",
  agitation: "激动",
  agitatedAt: (at, n, s) => `达到 ${at},持续 ${n} 句或 ${s} 的讲话`,
  languages: "语言",
  measures: "同时",
  names: {
    silence_ms: "静默",
    interruptions: "打断次数",
    overtalk_ms: "同时说话",
    non_talk_ms: "无人说话的时间",
    words_per_minute: "每分钟词数",
    characters_per_minute: "每分钟字数",
    talk_share: "说话占比",
  },
  of: { customer: "客户", agent: "坐席" },
  lastS: (s) => `最近 ${s} 秒内`,
  risk: "流失风险至少",
  profile: "满足",
  window: "仅限",
  first: (n) => `其最初 ${n} 句`,
  afterMs: (s) => `通话 ${s} 之后`,
  beforeMs: (s) => `通话最初 ${s}`,
  afterCustomer: (n) => `客户已说过 ${n} 句之后`,
  hits: (n) => `出现 ${n} 次`,
  inCall: "整个通话内",
  how: "频率",
  once: { call: "每通一次", name: "每个名字一次", emotion: "每种情绪一次", episode: "每次激动一次", always: "每次都触发" },
  cooldown: (s) => `之后 ${s} 内不再触发`,
  ended: "通话结束后检查",
  early: "说话过程中即显示",
  compliance: "从不压下",
  offer: "客户不悦时暂缓",
  does: "作用",
  due: (h) => `任务,${h} 小时后到期`,
  calls: (name) => `发消息给 ${name}`,
  or: "或",
};

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

/** All phrases, those of the reader's language first. */
function phrases(given: Phrases, language: string): string[] {
  const own = given[language] ?? [];
  return [...own, ...Object.entries(given).flatMap(([each, list]) => (each === language ? [] : list))];
}

function listens(rule: Rule, language: "zh" | "en"): Line[] {
  const w = language === "zh" ? zh : en;
  const lines: Line[] = [];
  const said = [...(rule.competitors ? [w.competitor] : []), ...phrases(rule.phrases, language)];
  if (rule.not_said === null) {
    if (said.length) lines.push({ label: w.who[rule.speaker ?? "both"], parts: said });
    else if (rule.all_of.length) lines.push({ label: w.who[rule.speaker ?? "both"], parts: [] });
  } else {
    const within = rule.not_said.within_ms === null ? w.never : w.within(seconds(rule.not_said.within_ms));
    lines.push({ label: w.notSaid(within), parts: said });
    const opening = rule.not_said.after;
    lines.push({ label: w.after, parts: opening === null ? [w.sinceStart] : [...phrases(opening.phrases, language), ...opening.intents] });
  }
  for (const group of rule.all_of) lines.push({ label: w.together, parts: phrases(group, language) });
  const least = Object.entries(rule.least_likeness).map(([each, value]) => w.likeness(each, Math.round(100 * value)));
  const like = phrases(rule.like, language);
  const unlike = phrases(rule.unlike, language);
  if (like.length) lines.push({ label: w.like, parts: [...like, ...least] });
  if (unlike.length) lines.push({ label: w.unlike, parts: unlike });
  if (rule.intents.length) lines.push({ label: w.intents, parts: rule.intents });
  if (rule.emotions.length) lines.push({ label: w.emotions, parts: [...rule.emotions, ...(rule.least_confidence ? [w.sure(Math.round(100 * rule.least_confidence))] : [])] });
  if (rule.either) lines.push({ label: w.or, parts: [w.either] });
  return lines;
}

function bounds(rule: Rule, language: "zh" | "en"): Line[] {
  const w = language === "zh" ? zh : en;
  const lines: Line[] = [];
  const add = (label: string, parts: (string | false | null)[]) => {
    const there = parts.filter((part): part is string => typeof part === "string" && part !== "");
    if (there.length) lines.push({ label, parts: there });
  };
  const { first, after_ms, before_ms, after_customer } = rule.window;
  add(w.unless, phrases(rule.unless, language));
  add(w.notWithin, phrases(rule.not_within, language));
  add(w.unlessAgent, phrases(rule.unless_agent, language));
  if (rule.agitation) add(w.agitation, [w.agitatedAt(rule.agitation.at, rule.agitation.utterances, seconds(rule.agitation.speech_ms))]);
  add(w.languages, rule.languages);
  for (const m of rule.measures) {
    const show = (n: number | null) => (n === null ? "" : m.name.endsWith("_ms") ? seconds(n) : m.name === "talk_share" ? `${Math.round(100 * n)} %` : String(n));
    const name = [m.speaker ? w.of[m.speaker] : "", w.names[m.name] ?? m.name].join(" ").trim();
    add(w.measures, [[name, m.at_least === null ? "" : `≥ ${show(m.at_least)}`, m.at_most === null ? "" : `≤ ${show(m.at_most)}`, m.last_s ? w.lastS(m.last_s) : ""].filter(Boolean).join(" ")]);
  }
  if (rule.risk) add(w.risk, [rule.risk.level, rule.risk.score !== null && String(rule.risk.score)]);
  add(w.profile, [rule.profile]);
  add(w.window, [
    first !== null && w.first(first),
    after_ms !== null && w.afterMs(seconds(after_ms)),
    before_ms !== null && w.beforeMs(seconds(before_ms)),
    after_customer > 0 && w.afterCustomer(after_customer),
  ]);
  return lines;
}

/** When a rule fires, line by line, and how often. */
export function condition(rule: Rule, language: "zh" | "en"): Line[] {
  const w = language === "zh" ? zh : en;
  const often = [
    rule.hits && `${w.hits(rule.hits.at_least)} ${rule.hits.within_ms === null ? w.inCall : w.within(seconds(rule.hits.within_ms))}`,
    w.once[rule.once],
    rule.cooldown_ms > 0 && w.cooldown(seconds(rule.cooldown_ms)),
    rule.after && w.ended,
    rule.early && w.early,
    rule.compliance && w.compliance,
    rule.offer && w.offer,
    rule.due_hours !== null && w.due(rule.due_hours),
    rule.webhook !== null && w.calls(rule.webhook),
  ].filter((part): part is string => typeof part === "string");
  return [...listens(rule, language), ...bounds(rule, language), { label: w.how, parts: often }];
}
