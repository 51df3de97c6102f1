"use strict";
// Everything the page draws, as text only: no words of a citizen ever become markup.
window.Show = (() => {
  const make = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const button = (text, className, act) => {
    const made = make("button", className, text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  const clock = (ms) => {
    const at = new Date(ms), now = new Date();
    const time = at.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
    return at.toDateString() === now.toDateString() ? time : `${at.getMonth() + 1}月${at.getDate()}日 ${time}`;
  };
  const waited = (ms) => {
    const minutes = Math.max(0, Math.floor((Date.now() - ms) / 60000));
    if (minutes < 1) return "刚到";
    return minutes < 60 ? `等了${minutes}分钟` : `等了${Math.floor(minutes / 60)}小时${minutes % 60}分`;
  };

  const about = (one) => [one.subject, one.township, one.channel].filter(Boolean).join(" · ");

  const row = (one, current, pick, actLabel, act) => {
    const item = make("li", one.id === current ? "row current" : "row");
    const main = button("", "pick", () => pick(one.id));
    const top = make("span", "top-line");
    if (one.urgent) top.append(make("b", "urgent", "急"));
    top.append(make("strong", "", about(one)));
    const unread = one.state === "held" ? Math.max(0, one.unread || 0) : 0;
    if (unread) { const badge = make("b", "badge", String(unread)); badge.setAttribute("aria-label", `${unread}条未读`); top.append(badge); }
    const notes = [one.state === "held" ? (one.answered ? "已回复" : actLabel ? "还没回复" : "等您回复") : waited(one.since)];
    if (one.left_message && one.state === "waiting") notes.push("下班时留言");
    if (one.returns) notes.push("退回过");
    if (one.lawyer_name && actLabel) notes.push(one.lawyer_name);
    main.append(top, make("span", "preview", (one.state === "waiting" ? one.question || one.last : one.last || one.question) || "（还没有说什么）"), make("span", "notes", notes.join(" · ")));
    item.append(main);
    if (act) item.append(button(actLabel, "act primary", () => act(one.id)));
    return item;
  };

  const media = (line) => {
    const path = `/workbench/media/${line.media}`;
    if (line.kind === "image") {
      const picture = make("img", "picture");
      picture.alt = "群众发来的图片，点开看大图";
      picture.loading = "lazy";
      picture.src = path;
      picture.addEventListener("error", () => picture.replaceWith(make("span", "notes", "［图片还没取到，稍后重新打开］")));
      const link = make("a");
      link.href = path; link.target = "_blank"; link.rel = "noopener";
      link.append(picture);
      return link;
    }
    const link = make("a", "", line.kind === "voice" ? "［语音］点开听" : "［文件］点开看");
    link.href = path; link.target = "_blank"; link.rel = "noopener";
    return link;
  };

  const KINDS = { image: "［图片］", voice: "［语音］", video: "［视频］", location: "［位置］", link: "［链接］", file: "［文件］" };
  const AUTHORS = { citizen: "群众", bot: "法问（自动）", system: "系统告诉群众", note: "备注" };

  const message = (line) => {
    const item = make("div", `message ${line.author}`);
    item.dataset.key = line.key;
    item.dataset.number = line.number || "";
    const who = line.author === "lawyer" || line.author === "note" ? [AUTHORS[line.author], line.name].filter(Boolean).join(" · ") : AUTHORS[line.author];
    item.append(make("span", "who", `${who || ""} ${clock(line.at)}`));
    const box = make("div", "bubble");
    if (line.media) box.append(media(line));
    if (line.text) box.append(make("span", "", line.text));
    if (!line.text && !line.media) box.append(make("span", "", KINDS[line.kind] || "［消息］"));
    item.append(box);
    item.append(make("span", "delivery"));
    delivery(item, line.delivery);
    return item;
  };

  const delivery = (item, state) => {
    const shown = item.querySelector(".delivery");
    if (!state || !shown) return;
    shown.textContent = state.error ? `${state.words}：${state.error}` : state.words;
    shown.className = `delivery ${state.state}`;
  };

  const past = (box, data) => {
    box.replaceChildren();
    const part = (title, lines) => {
      box.append(make("h3", "", title));
      if (!lines.length) box.append(make("p", "notes", "没有。"));
      box.append(...lines);
    };
    part("找律师之前，和法问说的话", data.before.flatMap((one) => [
      make("p", "said mine", `群众 ${clock(one.at)}：${one.text || KINDS[one.kind] || "［消息］"}`),
      ...(one.reply ? [make("p", "said", `法问：${one.reply}`)] : []),
    ]));
    const OUTCOMES = { answered: "已解答", offered: "给了选项", unanswered: "没答上", referred: "转人工" };
    part("以前的咨询", data.earlier.map((one) => make("p", "said",
      `${clock(one.opened_at)} ${one.category || "未分类"} ${OUTCOMES[one.outcome] || one.outcome}${one.summary ? "：" + one.summary : ""}`)));
    const EVENTS = { detail: "补充了情况", queue: "开始排队", claim: "接单", transfer: "转交", release: "退回排队", take_over: "接管", vanish: "久未回复，退回排队",
      escalate: "提醒更多人", close: "办结", cancel: "群众取消", leave: "群众取消关注", idle: "群众久未回话，结束", give_up: "无人接待，结束" };
    part("经过", data.events.map((one) => make("p", "said",
      `${clock(one.at)} ${one.who}${EVENTS[one.event] || one.event}${one.other ? "（" + one.other + "）" : ""}${one.note ? "：" + one.note : ""}`)));
  };

  const entries = (box, found, send, insert) => {
    box.replaceChildren();
    if (!found.length) { box.append(make("p", "notes", "没查到，换个说法试试。")); return; }
    for (const entry of found) {
      const card = make("details", "card");
      card.append(make("summary", "", entry.question), make("p", "answer", entry.answer), make("p", "notes", `依据：${entry.basis}`));
      const acts = make("p", "buttons");
      acts.append(button("直接发给群众", "primary", () => send(entry)), button("放进输入框改", "quiet", () => insert(entry)));
      card.append(acts);
      box.append(card);
    }
    box.firstElementChild.open = true;
  };

  return { make, button, row, message, delivery, past, entries, about };
})();
