"use strict";
// The chat page: shows what the server says, as text only, and sends what the visitor types or taps.
(() => {
  const talk = document.getElementById("talk");
  const form = document.getElementById("compose");
  const words = document.getElementById("words");
  const send = document.getElementById("send");
  const notice = document.getElementById("notice");
  const DRAFT = "fawen-draft";
  const FOOT = "\n\n依据：";
  const TRY_AGAIN = [1000, 3000, 10000, 30000];
  let queue = Promise.resolve();
  let place = 0; // the last letter shown: the next question for news confirms it
  const shown = new Set();
  let listening = false;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 120;
  const toEnd = () => { talk.scrollTop = talk.scrollHeight; };

  const bubble = (who, author) => {
    const turn = element("div", `turn ${who}`);
    const box = element("div", "bubble");
    turn.append(element("span", "out", who === "mine" ? "我说：" : `${author || "法问"}说：`), box);
    if (author) box.append(element("div", "author", author));
    talk.append(turn);
    return { turn, box };
  };

  const showMine = (text) => {
    const shown = bubble("mine");
    shown.box.textContent = text;
    toEnd();
    return shown;
  };

  const tapButton = (tap, mark) => {
    const button = element("button", "", mark + tap.label);
    button.type = "button";
    button.addEventListener("click", () => say(tap.send, tap.id));
    return button;
  };

  // Only our own private links can be tapped; whatever else looks like one stays text.
  const PRIVATE = /\/my\/[\w-]{20,}/;
  const appendText = (box, text) => {
    const found = PRIVATE.exec(text);
    if (!found) {
      box.append(text);
      return;
    }
    const link = element("a", "private", "打开我的记录");
    link.href = found[0];
    link.target = "_blank";
    link.rel = "noreferrer";
    box.append(text.slice(0, found.index), link);
    appendText(box, text.slice(found.index + found[0].length));
  };

  const showReply = (reply, author) => {
    const { turn, box } = bubble("theirs", author);
    const [body, foot] = reply.text.split(FOOT);
    appendText(box, body);
    if (foot !== undefined) box.append(element("div", "foot", "依据：" + foot));
    if (reply.rows.length) {
      const list = element("ul", "taps");
      for (const row of reply.rows) {
        const line = element("li");
        line.append(...row.map((tap) => tapButton(tap, reply.mark)));
        list.append(line);
      }
      box.append(list);
    }
    return turn;
  };

  // A long answer is read from its beginning: put the citizen's own line at the top rather than the end in view.
  const reveal = (turn, mine) => {
    if (turn.offsetHeight > talk.clientHeight - 80 && mine) {
      talk.scrollTop = mine.offsetTop - talk.offsetTop - 8;
    } else {
      toEnd();
    }
  };

  const waiting = () => {
    const { turn, box } = bubble("theirs");
    const dots = element("span", "dots");
    dots.setAttribute("role", "img");
    dots.setAttribute("aria-label", "正在查找");
    dots.append(element("i"), element("i"), element("i"));
    box.append(dots);
    toEnd();
    return turn;
  };

  const warn = (text) => {
    notice.textContent = text;
    notice.hidden = !text;
  };

  // Letters come with a place; whatever was shown is not shown again, however often it is fetched.
  const showLetter = (letter) => {
    if (shown.has(letter.place)) return;
    shown.add(letter.place);
    place = Math.max(place, letter.place);
    const stay = !atEnd();
    const turn = showReply(letter.reply, letter.author);
    const dots = talk.querySelector(".dots");
    if (dots) talk.append(dots.closest(".turn"));
    if (!stay) turn.scrollIntoView({ block: "nearest" });
  };

  const pause = (time) => new Promise((done) => { setTimeout(done, time); });

  // While a lawyer may write: one question for news at a time, each waiting at the server.
  const listen = async () => {
    if (listening) return;
    listening = true;
    let more = true;
    let losses = 0;
    while (more) {
      try {
        const answer = await fetch(`/chat/news?after=${place}`);
        if (!answer.ok) throw new Error(String(answer.status));
        const { news, open } = await answer.json();
        news.forEach(showLetter);
        more = open || news.length > 0;
        if (losses) warn("");
        losses = 0;
      } catch {
        if (document.hidden) break; // looked for again when the page is seen
        losses += 1;
        if (losses > 1) warn("网络不稳，正在重新连接。律师的话不会丢，连上就能看到。急事请打12348或12345。");
        await pause(TRY_AGAIN[Math.min(losses, TRY_AGAIN.length) - 1]);
      }
    }
    listening = false;
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden && talk.dataset.ready) listen(); });
  window.addEventListener("online", () => { if (talk.dataset.ready) listen(); });

  const failed = (mine, text, tap, key) => {
    mine.turn.classList.add("failed");
    const retry = element("button", "retry", "重发");
    retry.type = "button";
    retry.addEventListener("click", () => {
      retry.remove();
      mine.turn.classList.remove("failed");
      queue = queue.then(() => deliver(mine, text, tap, key));
    });
    mine.turn.prepend(retry);
    warn("没有发出去，请检查网络后点“重发”。急事请打12348或12345。");
  };

  const post = async (body) => {
    const answer = await fetch("/chat/messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const data = await answer.json();
    return { status: answer.status, data };
  };

  const deliver = async (mine, text, tap, key) => {
    const dots = waiting();
    try {
      const { status, data } = await post({ key, text, tap });
      dots.remove();
      if (status === 200) {
        warn("");
        if (data.reply) reveal(showReply(data.reply), mine.turn);
        if (data.listen) listen();
      } else {
        mine.turn.remove();
        if (!words.value) words.value = text;
        resize();
        warn(data.error);
      }
    } catch {
      dots.remove();
      failed(mine, text, tap, key);
    }
  };

  const say = (text, tap) => {
    const mine = showMine(text);
    const key = newKey();
    // One after the other: answers stand in the order of the questions.
    queue = queue.then(() => deliver(mine, text, tap || "", key));
  };

  const resize = () => {
    words.style.height = "auto";
    words.style.height = `${Math.min(words.scrollHeight + 2, 144)}px`;
    send.disabled = !words.value.trim();
    try { sessionStorage.setItem(DRAFT, words.value); } catch { /* private mode: the draft is a comfort only */ }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (!text) return;
    words.value = "";
    resize();
    say(text, "");
    words.focus();
  });

  words.addEventListener("input", resize);
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  window.visualViewport?.addEventListener("resize", () => { if (atEnd()) toEnd(); });

  const start = async () => {
    try { words.value = sessionStorage.getItem(DRAFT) || ""; } catch { /* as above */ }
    resize();
    try {
      const answer = await fetch("/chat/history");
      const { exchanges } = await answer.json();
      for (const one of exchanges) {
        if (one.mine !== null) showMine(one.mine);
        if (one.place) showLetter(one);
        else if (one.reply) showReply(one.reply);
      }
      // A first visit reads the greeting from its beginning, a return goes on where it was.
      if (exchanges.length > 1) toEnd();
    } catch {
      warn("连不上服务器，请检查网络后刷新页面。急事请打12348或12345。");
    }
    talk.dataset.ready = "yes";
    if (place || talk.querySelector(".mine")) listen();
  };

  start();
})();
