"use strict";
// The workbench: what is known of each handoff, what is on screen, and what the lawyer does.
(() => {
  const $ = (id) => document.getElementById(id);
  const bench = $("bench"), talk = document.querySelector(".talk"), thread = $("thread"), text = $("text"), aside = $("aside");
  const me = bench.dataset.me, supervisor = bench.dataset.role === "supervisor";
  const state = { handoffs: new Map(), offered: new Set(), colleagues: [], onDuty: false, current: "", last: new Map(), numbers: new Map() };
  const drafts = new Map();
  let sound = null;

  const warn = (words) => { $("warn").textContent = words || ""; $("warn").hidden = !words; };
  const list = (words) => { $("line").textContent = words; };
  const attempt = async (work) => { try { warn(""); return await work(); } catch (error) { warn(error.message); if (talk.hidden) list(error.message); return undefined; } };
  const at = (path) => `/workbench/api${path}`;

  // ---- the list -------------------------------------------------------------------------------------------------
  const draw = () => {
    const all = [...state.handoffs.values()];
    const order = (a, b) => Number(b.urgent) - Number(a.urgent) || a.since - b.since;
    const mine = all.filter((one) => one.state === "held" && one.lawyer === me).sort((a, b) => Number(a.answered) - Number(b.answered) || b.citizen_at - a.citizen_at);
    const waiting = all.filter((one) => one.state === "waiting").sort(order);
    const others = all.filter((one) => one.state === "held" && one.lawyer !== me).sort(order);
    for (const one of mine) one.unread = one.id === state.current && !document.hidden ? 0 : Math.max(0, one.messages - one.read);
    const fill = (id, lines, label, act) => {
      $(id).replaceChildren(...lines.map((one) => Show.row(one, state.current, open, label, act)));
      if (!lines.length) $(id).append(Show.make("li", "notes", id === "queue" ? "没有人在排队。" : "没有。"));
      $(`${id}-count`).textContent = lines.length ? `（${lines.length}）` : "";
    };
    fill("mine", mine);
    fill("queue", waiting, "接单", claim);
    $("others-part").hidden = !supervisor || !others.length;
    if (supervisor) fill("others", others, "接管", (id) => move(id, "take_over"));
    const calls = mine.reduce((sum, one) => sum + one.unread, 0) + (state.onDuty ? waiting.length : 0);
    if (!calls && state.calling) { state.calling = false; list("已连接"); }
    document.title = calls ? `（${calls}）工作台 · 法问` : "工作台 · 法问";
    $("duty").setAttribute("aria-pressed", String(state.onDuty));
    $("duty").textContent = state.onDuty ? "正在值班（点一下下班）" : "上班接单";
  };

  const overview = () => attempt(async () => {
    const data = await call(at("/overview"));
    state.handoffs = new Map(data.handoffs.map((one) => [one.id, one]));
    state.colleagues = data.colleagues;
    state.onDuty = data.me.on_duty;
    list(state.onDuty ? `已连接，${data.there}位律师在值班` : "您现在是下班状态，不会收到新来的提醒");
    draw();
    for (const one of state.handoffs.values()) if (one.lawyer === me) follow(one.id, one.messages);
    if (state.current) await reload();
  });

  const follow = (id, after) => line.raw({ type: "watch", id, after: state.numbers.get(id) ?? after });

  // ---- one conversation -----------------------------------------------------------------------------------------
  const open = (id) => attempt(async () => {
    drafts.set(state.current, text.value);
    state.current = id;
    bench.classList.add("open");
    talk.hidden = false;
    $("nothing").hidden = true;
    tab("thread");
    thread.replaceChildren(Show.make("p", "notes", "正在打开…"));
    text.value = drafts.get(id) || "";
    const listed = state.handoffs.get(id);
    if (listed) header(listed);
    await reload();
    if (matchMedia("(min-width: 60em)").matches) text.focus();
  });

  const reload = async () => {
    const id = state.current;
    const data = await call(at(`/handoffs/${id}`));
    if (id !== state.current) return;
    state.last.set(id, data);
    thread.replaceChildren();
    for (const one of data.messages) add(one);
    for (const one of line.unsent.values()) if (one.id === id) pending(one);
    end();
    Show.past($("past"), data);
    known(data.handoff);
    quota(data.quota);
    follow(id, 0);
    seen();
  };

  const known = (one) => {
    if (one.state !== "closed") state.handoffs.set(one.id, one);
    if (one.id === state.current) header(one);
    draw();
  };

  const header = (one) => {
    $("about").textContent = (one.urgent ? "【急】" : "") + Show.about(one);
    const own = one.lawyer === me && one.state === "held";
    const acts = [];
    if (one.state === "waiting") acts.push(Show.button("接单", "primary", () => claim(one.id)));
    if (own) acts.push(Show.button("转交", "quiet", pass), Show.button("退回", "quiet", () => giveBack(one.id)), Show.button("结束", "primary", closing));
    if (!own && one.state === "held" && supervisor) acts.push(Show.button("接管", "primary", () => move(one.id, "take_over")));
    $("acts").replaceChildren(...acts);
    $("say").hidden = one.state === "closed";
    text.disabled = !own && !aside.checked;
    text.placeholder = own ? "回复群众…" : one.state === "waiting" ? "接单后就能回复" : "现在由别人接待";
    size();
  };

  const quota = (one) => { $("quota").textContent = one ? one.words : ""; $("quota").classList.toggle("low", Boolean(one) && one.left < 2); };
  const end = () => { thread.scrollTop = thread.scrollHeight; };
  const near = () => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 120;

  const add = (one) => {
    const id = state.current;
    const there = thread.querySelector(`[data-key="${CSS.escape(one.key)}"]`);
    state.numbers.set(id, Math.max(state.numbers.get(id) || 0, one.number));
    const shown = Show.message(one);
    if (there) there.replaceWith(shown); else thread.append(shown);
  };

  const pending = (one) => {
    const shown = Show.message({ key: one.key, author: one.type === "note" ? "note" : "lawyer", kind: "text", text: one.text, at: Date.now(), name: "" });
    shown.classList.add("pending");
    shown.querySelector(".delivery").textContent = "正在保存…";
    thread.append(shown);
    end();
  };

  const seen = () => {
    const number = state.numbers.get(state.current) || 0;
    if (!state.current || document.hidden || !number) return;
    const one = state.handoffs.get(state.current);
    if (one && one.lawyer === me && one.read < number) { one.read = number; line.raw({ type: "read", id: one.id, number }); draw(); }
  };

  // ---- what the server says -------------------------------------------------------------------------------------
  const news = (message) => {
    if (message.type === "handoff") {
      const before = state.handoffs.get(message.handoff.id);
      const one = message.handoff;
      state.handoffs.set(one.id, before ? { ...one, read: Math.max(one.read, before.read) } : one);
      if (one.lawyer === me && !state.numbers.has(one.id)) { state.numbers.set(one.id, one.messages); follow(one.id, one.messages); }
      if (one.state === "waiting" && message.offered && state.onDuty && (!before || before.state !== "waiting")) call_out(one.urgent ? "急件：有群众要找律师" : "有群众在排队");
      if (one.lawyer === me && before && one.citizen_at > before.citizen_at && (document.hidden || one.id !== state.current)) call_out("群众有新消息");
      if (one.id === state.current) header(one);
      draw();
    } else if (message.type === "gone") {
      state.handoffs.delete(message.id);
      if (message.id === state.current) {
        warn(message.lawyer && !message.ended ? `这位群众现在由${message.lawyer}接待。` : message.ended ? `已结束：${message.ended}。` : "这个咨询不在您的列表里了。");
        $("acts").replaceChildren(); text.disabled = true; size();
      }
      draw();
    } else if (message.type === "messages") {
      if (message.id !== state.current) { const last = message.messages.at(-1); if (last) state.numbers.set(message.id, last.number); return; }
      const stay = near();
      for (const one of message.messages) add(one);
      for (const item of thread.children) {
        const data = state.last.get(state.current);
        const id = (data?.messages.find((one) => one.key === item.dataset.key) || message.messages.find((one) => one.key === item.dataset.key))?.id;
        if (id && message.deliveries[id]) Show.delivery(item, message.deliveries[id]);
      }
      state.last.get(state.current)?.messages.push(...message.messages);
      quota(message.quota);
      if (stay) end();
      seen();
    } else if (message.type === "kept") {
      const item = thread.querySelector(`[data-key="${CSS.escape(message.key)}"]`);
      item?.classList.remove("pending");
    } else if (message.type === "refused") {
      warn(message.error);
      const item = thread.querySelector(`[data-key="${CSS.escape(message.key || "-")}"].pending`);
      if (item && !message.again) { if (!text.value) { text.value = item.querySelector(".bubble").textContent; size(); } item.remove(); }
    }
  };

  const call_out = (words) => {
    state.calling = true;
    list(words);
    if (sound) {
      const tone = sound.createOscillator(), volume = sound.createGain();
      volume.gain.value = 0.1; tone.frequency.value = 880;
      tone.connect(volume).connect(sound.destination);
      tone.start(); tone.stop(sound.currentTime + 0.25);
    }
    if (document.hidden && "Notification" in window && Notification.permission === "granted") new Notification("法问工作台", { body: words, tag: "fawen" });
  };

  const line = new Line("/workbench/socket", {
    up: () => overview(),
    down: () => list("连接断开，正在重连…您写的话会保留"),
    news,
  });

  // ---- what the lawyer does -------------------------------------------------------------------------------------
  const move = (id, name, more) => attempt(async () => { await call(at(`/handoffs/${id}/move`), { name, ...more }); return true; });
  const claim = async (id) => {
    if (!await move(id, "claim")) { overview(); return; }
    const one = state.handoffs.get(id);
    if (one) state.handoffs.set(id, { ...one, state: "held", lawyer: me });  // the news of it may come later than the reply
    state.numbers.set(id, 0);
    await open(id);
  };
  const giveBack = async (id) => {
    if (confirm("退回排队？群众会收到通知，排位不变。") && await move(id, "release", { note: "" })) leave();
  };
  const leave = () => { bench.classList.remove("open"); talk.hidden = true; $("nothing").hidden = false; drafts.delete(state.current); state.current = ""; warn(""); overview(); };

  const pass = () => attempt(async () => {
    // Who is there changes while a page stays open.
    state.colleagues = (await call(at("/overview"))).colleagues;
    $("to").replaceChildren(...state.colleagues.map((one) => { const made = Show.make("option", "", `${one.name}${one.on_duty ? "（在值班）" : ""}`); made.value = one.id; return made; }));
    $("hint").value = "";
    $("passing").showModal();
  });
  $("pass-now").addEventListener("click", async () => {
    if (await move(state.current, "transfer", { to: $("to").value, note: $("hint").value.trim() })) { $("passing").close(); leave(); }
  });

  const closing = () => {
    const one = state.handoffs.get(state.current), data = state.last.get(state.current);
    const begun = [...(data?.events || [])].reverse().find((event) => ["claim", "take_over", "transfer"].includes(event.event));
    const known = [...$("category").options].find((option) => option.value === one.category || option.textContent === one.subject);
    if (known) $("category").value = known.value;
    $("minutes").value = begun ? Math.max(1, Math.round((Date.now() - begun.at) / 60000)) : 1;
    $("summary").value = "";
    $("closing").showModal();
    $("close-now").focus();
  };
  $("close-now").addEventListener("click", () => attempt(async () => {
    const one = state.handoffs.get(state.current);
    const chosen = $("category").selectedOptions[0];
    await call(at(`/handoffs/${one.id}/close`), {
      service: document.querySelector("input[name=service]:checked").value,
      category: chosen.textContent === one.subject && one.category ? one.category : chosen.value,
      summary: $("summary").value.trim(),
      minutes: Number($("minutes").value) || 0,
    });
    $("closing").close();
    leave();
  }));

  const say = (words, entry) => {
    const message = { type: aside.checked ? "note" : "say", id: state.current, key: newKey(), text: words, ...(aside.checked ? {} : { entry: entry || "" }) };
    pending(message);
    line.sure(message);
  };
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || text.disabled) return;
    say(words);
    text.value = "";
    aside.checked = false;
    size();
    text.focus();
  });
  let typed = 0;
  const size = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 160)}px`;
    $("send").disabled = !text.value.trim() || text.disabled;
    $("send").textContent = aside.checked ? "记下" : "发送";
  };
  text.addEventListener("input", () => {
    size();
    if (!aside.checked && Date.now() - typed > 5000) { typed = Date.now(); line.raw({ type: "typing", id: state.current }); }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(min-width: 60em)").matches) { event.preventDefault(); $("say").requestSubmit(); }
  });
  aside.addEventListener("change", () => { const one = state.handoffs.get(state.current); if (one) header(one); size(); });

  const tab = (name) => {
    for (const one of document.querySelectorAll(".tabs button")) one.setAttribute("aria-pressed", String(one.dataset.tab === name));
    for (const one of ["thread", "past", "know"]) $(one).hidden = one !== name;
    if (name === "thread") end();
    if (name === "know") {
      const one = state.handoffs.get(state.current);
      if (!$("words").value && one) { $("words").value = one.question || one.last; find(); }
    }
  };
  for (const one of document.querySelectorAll(".tabs button")) one.addEventListener("click", () => tab(one.dataset.tab));

  const find = () => attempt(async () => {
    $("found").replaceChildren(Show.make("p", "notes", "正在查…"));
    const { entries } = await call(at(`/search?q=${encodeURIComponent($("words").value)}`));
    Show.entries($("found"), entries, (entry) => { say(`${entry.answer}\n\n依据：${entry.basis}`, entry.id); tab("thread"); },
      (entry) => { text.value = entry.answer; tab("thread"); size(); text.focus(); });
  });
  $("find").addEventListener("submit", (event) => { event.preventDefault(); find(); });

  const quick = () => attempt(async () => {
    const { quick: phrases } = await call(at("/quick"));
    const keep = Show.button("＋ 把输入框里的话存为快捷语", "quiet", () => attempt(async () => {
      if (!text.value.trim()) { warn("先在输入框里写好这句话。"); return; }
      await call(at("/quick"), { text: text.value.trim() });
      await quick();
    }));
    $("quick").replaceChildren(...phrases.map((one) => {
      const part = Show.make("span", "phrase");
      part.append(Show.button(one.text, "quiet", () => { text.value = text.value ? `${text.value}${one.text}` : one.text; open_quick(false); size(); text.focus(); }));
      if (one.id && !one.shared) part.append(Show.button("删", "link", () => { if (confirm("删掉这句快捷语？")) attempt(async () => { await call(at(`/quick/${one.id}`), undefined, "DELETE"); await quick(); }); }));
      return part;
    }), keep);
  });
  const open_quick = (on) => { $("quick").hidden = !on; $("open-quick").setAttribute("aria-expanded", String(on)); if (on) quick(); };
  $("open-quick").addEventListener("click", () => open_quick($("quick").hidden));

  $("duty").addEventListener("click", () => attempt(async () => { await call(at("/duty"), { on: !state.onDuty }); await overview(); }));
  $("bind").addEventListener("click", () => attempt(async () => {
    const code = await call(at("/bind"), {});
    $("binding-now").textContent = code.bound ? "您已经绑定过微信；再绑一次会换成新的。" : "";
    const drawn = new DOMParser().parseFromString(code.svg, "text/html").querySelector("svg");
    $("binding-code").replaceChildren(...(drawn ? [drawn] : []));
    $("binding-words").textContent = code.words;
    $("binding").showModal();
  }));
  $("back").addEventListener("click", leave);
  if ("Notification" in window && Notification.permission === "default") {
    $("notify").hidden = false;
    $("notify").addEventListener("click", async () => { await Notification.requestPermission(); $("notify").hidden = true; });
  }
  // Browsers allow sound only after the first touch.
  addEventListener("pointerdown", () => { sound ??= new AudioContext(); }, { once: true });
  document.addEventListener("visibilitychange", () => { seen(); draw(); });
  setInterval(draw, 30000);
})();
