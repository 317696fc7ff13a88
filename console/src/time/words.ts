/** The words of durations, ages and of what the time box understood. `{n}`, `{time}` and so on are filled in. */

export interface TimeWords {
  /** For Intl: `en`, `zh-CN`. */
  locale: string;
  /** `year` as 2026年11月20日, or ISO. */
  dateStyle: "iso" | "zh";
  ms: string;
  s: string;
  m: string;
  h: string;
  d: string;
  ago: string;
  ahead: string;
  today: string;
  yesterday: string;
  once: string;
  twice: string;
  missing: string;
  fragmentAt: string;
  fragment: string;
  empty: string;
  form: string;
  range: string;
}

export const EN: TimeWords = {
  locale: "en",
  dateStyle: "iso",
  ms: "{n} ms",
  s: "{n} s",
  m: "{n} m",
  h: "{n} h",
  d: "{n} d",
  ago: "{age} ago",
  ahead: "in {age}",
  today: "today",
  yesterday: "yesterday",
  once: "{time}, {age}",
  twice: "{wall} exists twice: {first} or {second}",
  missing: "{wall} does not exist: the clocks go from {before} to {after}",
  fragmentAt: "Fragment received at {time}",
  fragment: "Fragment {number}",
  empty: "Type a time",
  form: "Not a time: 14:05, yesterday 14:05, -15m, ISO 8601, epoch or a fragment number",
  range: "No such time",
};

export const ZH: TimeWords = {
  locale: "zh-CN",
  dateStyle: "zh",
  ms: "{n} 毫秒",
  s: "{n} 秒",
  m: "{n} 分",
  h: "{n} 小时",
  d: "{n} 天",
  ago: "{age}前",
  ahead: "{age}后",
  today: "今天",
  yesterday: "昨天",
  once: "{time}，{age}",
  twice: "{wall} 出现两次：{first} 或 {second}",
  missing: "{wall} 不存在：时钟从 {before} 拨到 {after}",
  fragmentAt: "{time} 收到的分片",
  fragment: "分片 {number}",
  empty: "输入时间",
  form: "无法识别：14:05、昨天14:05、-15m、ISO 8601、时间戳或分片号",
  range: "没有这个时间",
};
