// What a notebook cell displays: the richest of its forms that needs no script. All of it is the code's own choice: HTML is
// shown in a frame that may do nothing at all, SVG and pictures as images, the rest as text.
import { element } from "./dom.js";
import { frame } from "./output.js";

// The page's policy of trusted types allows this one way to make markup, for documents in which no script can run.
const inert = window.trustedTypes?.createPolicy("display", { createHTML: (text) => text }) ?? { createHTML: (text) => text };

const head = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:\">"
    + "<meta name=\"color-scheme\" content=\"light dark\"><font face=\"system-ui, sans-serif\" size=\"2\">";

const dropped = "script, style, link, meta, base, title, template, iframe, frame, frameset, object, embed, audio, video";
const drawn = "img, svg, table, hr, math, progress, meter";

// Attributes that run, that load something, or that the page's rules for styles refuse.
const refused = (name, value) => name.startsWith("on") || name === "style" || name === "srcset" || name === "ping"
    || (/^(src|data|background|poster|action|formaction|lowsrc)$/.test(name) && !value.startsWith("data:image/"))
    || (/^(xlink:)?href$/.test(name) && !value.startsWith("#"));

// Hostile HTML must not keep the page busy: nothing here looks at the same text many times.
function withoutStyles(text) {
    const [first, ...rest] = text.split(/<style\b/i);
    return first + rest.map((part) => {
        const end = /<\/style\s*>/i.exec(part);
        return end ? part.slice(end.index + end[0].length) : "";
    }).join("");
}

// For the console: it would complain of each style and handler, although none of them would have any effect.
const quiet = (text) => withoutStyles(text).replace(/<base\b[^<>]*>/gi, "")
    .replace(/<[^<>]*>/g, (tag) => tag.replace(/([\s"'/])(?:style|on[a-z]+)(?=\s*=)/gi, "$1data-off"));

function ruled(body) {
    for (const table of body.querySelectorAll("table")) {
        for (const [name, value] of [["border", "1"], ["rules", "all"], ["cellpadding", "5"], ["cellspacing", "0"]])
            table.setAttribute(name, value);
    }
    for (const cell of body.querySelectorAll("td")) {
        if (cell.childElementCount === 0 && /^[-+−]?[\d.,]+ ?%?$|^NaN$/.test(cell.textContent.trim()))
            cell.setAttribute("align", "right");
    }
}

// The frame cannot tell how high it is: that is estimated, and can be changed with the mouse.
function height(body) {
    const rows = body.querySelectorAll("tr").length;
    const lines = body.textContent.length / 90 + body.querySelectorAll("p, li, br, h1, h2, h3, div").length;
    const pictures = body.querySelectorAll("img, svg").length;
    return Math.round(Math.min(420, 32 + (rows > 0 ? rows * 28 : lines * 22) + pictures * 200));
}

// null: there is nothing to see without scripts.
function html(text, title) {
    const { body } = new DOMParser().parseFromString(inert.createHTML(quiet(text)), "text/html");
    body.querySelectorAll(dropped).forEach((node) => node.remove());
    for (const node of body.querySelectorAll("*")) {
        for (const { name, value } of [...node.attributes]) {
            if (refused(name.toLowerCase(), value.trim()))
                node.removeAttribute(name);
        }
    }
    ruled(body);
    if (!body.textContent.trim() && !body.querySelector(drawn))
        return null;
    const shown = element("iframe", { className: "display-frame", title, height: String(height(body)), referrerPolicy: "no-referrer" });
    shown.setAttribute("sandbox", "");
    shown.srcdoc = inert.createHTML(head + body.innerHTML);
    return shown;
}

export const picture = (address, alt) => element("img", { className: "picture", src: address, alt });

export const svgAddress = (text) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))}`;

export const pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const plain = (text) => frame("stream-stdout", element("span", { className: "lines" }, text));

const readable = (data) => (typeof data === "string" ? data : JSON.stringify(data, null, 2));

function form(bundle) {
    const text = readable(bundle["text/plain"] ?? "");
    const alt = text.slice(0, 200) || "Picture";
    const framed = typeof bundle["text/html"] === "string" ? html(bundle["text/html"], `Display: ${alt.slice(0, 80)}`) : null;
    if (framed)
        return [framed];
    if (typeof bundle["image/svg+xml"] === "string")
        return [picture(svgAddress(bundle["image/svg+xml"]), alt)];
    const type = pictures.find((each) => /^[\w+/=\s]+$/.test(bundle[each] ?? ""));
    if (type)
        return [picture(`data:${type};base64,${bundle[type]}`, alt)];
    const written = ["text/markdown", "text/latex", "application/json"].find((each) => each in bundle);
    return [plain(written ? readable(bundle[written]) : text), bundle["text/html"] && !written
        ? element("p", { className: "hint" }, "It can be seen only with scripts, which this page does not run.") : null];
}

export const display = (bundle) => element("div", { className: "display" }, ...form(bundle));
