// While somebody writes: how it reads on the phone, and what the checks say. Without this the button does the same.
const form = document.getElementById("editor");
const shown = document.getElementById("preview");
const PAUSE = 1200;
let timer = 0;
let latest = 0;

async function look() {
  const number = ++latest;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("entry", form.dataset.entry);
  try {
    const answer = await fetch("/console/knowledge/preview", { method: "POST", body: fields });
    const text = await answer.text();
    // Only what belongs to the newest words is shown.
    if (answer.ok && number === latest) shown.innerHTML = text;
  } catch {
    if (number === latest) shown.textContent = "没有网络，预览暂时看不了；写的内容还在。";
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
});
