"use strict";
// The live line to the server: comes back by itself, and what was written meanwhile is sent again under the same key.
window.Line = class {
  constructor(path, handlers) {
    this.path = path;
    this.handlers = handlers;
    this.unsent = new Map();
    this.delay = 500;
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    this.socket.addEventListener("open", () => {
      this.delay = 500;
      this.handlers.up();
      for (const message of this.unsent.values()) this.raw(message);
    });
    this.socket.addEventListener("message", (event) => this.heard(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => {
      if (event.code === 4401) { location.href = "/login?next=/workbench"; return; }
      this.handlers.down();
      setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(this.delay * 2, 15000);
    });
  }

  heard(message) {
    if (message.type === "kept" || (message.type === "refused" && !message.again)) this.unsent.delete(message.key);
    if (message.type === "refused" && message.again) setTimeout(() => this.again(message.key), 2000);
    this.handlers.news(message);
  }

  again(key) {
    if (this.unsent.has(key)) this.raw(this.unsent.get(key));
  }

  // Words that must arrive: kept until the server says that they are on record.
  sure(message) {
    this.unsent.set(message.key, message);
    this.raw(message);
  }

  // Hints that may be lost.
  raw(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
};

window.newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

// JSON from our own API; a fault becomes an Error with the server's sentence.
window.call = async (path, body, method) => {
  const options = body === undefined ? { method: method || "GET" }
    : { method: method || "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try { answer = await fetch(path, { ...options, credentials: "same-origin" }); } catch { throw new Error("连不上服务器，请检查网络。"); }
  if (answer.status === 401) { location.href = "/login?next=/workbench"; throw new Error("请重新登录。"); }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error || "没有成功，请再试一次。");
  return data;
};
