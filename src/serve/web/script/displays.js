// What a notebook cell displays: the richest of its forms that needs no script. All of it is the code's own choice: HTML is
// shown in a frame that may do nothing at all, SVG and pictures as images, the rest as text.
//
// HTML stands in two frames. The outer one, display.html, is the service's own, and empty. A frame inherits the policy of the
// document that it stands in: so the inner one, which has the HTML, a sandbox without any permission and an origin of its own,
// may have styles, while this page may not.
import { byId, element } from "./dom.js";
import { frame } from "./output.js";

const head = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    + "<meta name=\"color-scheme\" content=\"light dark\"><font face=\"system-ui, sans-serif\" size=\"2\">";

const dropped = "script, link, meta, base, title, template, iframe, frame, frameset, object, embed, audio, video";
const drawn = "img, svg, table, hr, math, progress, meter";

// Attributes that run or that load something. What styles would load, the frame's policy refuses.
const refused = (name, value) => name.startsWith("on") || name === "srcset" || name === "ping"
    || (/^(src|data|background|poster|action|formaction|lowsrc)$/.test(name) && !value.startsWith("data:image/"))
    || (/^(xlink:)?href$/.test(name) && !value.startsWith("#"));

// For the console: it would complain of each handler, although none of them would have any effect. Hostile HTML must not
// keep the page busy: nothing here looks at the same text many times.
const quiet = (text) => text.replace(/<base\b[^<>]*>/gi, "")
    .replace(/<[^<>]*>/g, (tag) => tag.replace(/([\s"'/])on[a-z]+(?=\s*=)/gi, "$1data-off"));

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

// The HTML without what would run or load; null: there is nothing to see without that. `parser`: of a document whose
// policy allows styles.
function cleaned(text, parser) {
    const { documentElement: root, body } = parser.parseFromString(quiet(text), "text/html");
    root.querySelectorAll(dropped).forEach((node) => node.remove());
    for (const node of root.querySelectorAll("*")) {
        for (const { name, value } of [...node.attributes]) {
            if (refused(name.toLowerCase(), value.trim()))
                node.removeAttribute(name);
        }
    }
    // What they hold is no text to see.
    const styles = [...root.querySelectorAll("style")];
    styles.forEach((node) => node.remove());
    ruled(body);
    if (!body.textContent.trim() && !body.querySelector(drawn))
        return null;
    return { height: height(body), html: styles.map((node) => node.outerHTML).join("") + body.innerHTML };
}

// `otherwise`: makes the nodes that are shown where there is nothing to see. A frame that is moved loads again.
function html(text, title, otherwise) {
    const shown = element("iframe", { className: "display-frame", title, src: byId("result").dataset.frame });
    shown.addEventListener("load", () => {
        const outer = shown.contentDocument;
        const clean = cleaned(text, new shown.contentWindow.DOMParser());
        if (!clean)
            return shown.replaceWith(...otherwise());
        const inner = outer.createElement("iframe");
        inner.setAttribute("sandbox", "");
        inner.referrerPolicy = "no-referrer";
        inner.title = title;
        inner.srcdoc = head + clean.html;
        if (!shown.style.height)
            shown.height = clean.height;
        return outer.body.replaceChildren(inner);
    });
    return shown;
}

export const picture = (address, alt) => element("img", { className: "picture", src: address, alt });

export const svgAddress = (text) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))}`;

export const pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const plain = (text) => frame("stream-stdout", element("span", { className: "lines" }, text));

const readable = (data) => (typeof data === "string" ? data : JSON.stringify(data, null, 2));

function withoutHtml(bundle, text, alt) {
    if (typeof bundle["image/svg+xml"] === "string")
        return [picture(svgAddress(bundle["image/svg+xml"]), alt)];
    const type = pictures.find((each) => /^[\w+/=\s]+$/.test(bundle[each] ?? ""));
    if (type)
        return [picture(`data:${type};base64,${bundle[type]}`, alt)];
    const written = ["text/markdown", "text/latex", "application/json"].find((each) => each in bundle);
    return [plain(written ? readable(bundle[written]) : text), ...(bundle["text/html"] && !written
        ? [element("p", { className: "hint" }, "It can be seen only with scripts, which this page does not run.")] : [])];
}

function form(bundle) {
    const text = readable(bundle["text/plain"] ?? "");
    const alt = text.slice(0, 200) || "Picture";
    const others = () => withoutHtml(bundle, text, alt);
    return typeof bundle["text/html"] === "string" ? [html(bundle["text/html"], `Display: ${alt.slice(0, 80)}`, others)] : others();
}

export const display = (bundle) => element("div", { className: "display" }, ...form(bundle));
