// The files that came back from a job: their sizes, a download, and pictures as pictures.
import { picture, pictures, svgAddress } from "./displays.js";
import { element } from "./dom.js";
import { fromBase64 } from "./files.js";
import { saveAs } from "./output-tools.js";
import { bytes } from "./units.js";

const data = (file) => (file.text === undefined ? fromBase64(file.base64) : file.text);

function preview(path, { type, text, base64 }) {
    if (type === "image/svg+xml" && text !== undefined)
        return picture(svgAddress(text), path);
    return pictures.includes(type) && base64 ? picture(`data:${type};base64,${base64}`, path) : null;
}

function item(path, file) {
    const button = element("button", { type: "button", className: "small download" }, "Download",
        element("span", { className: "hidden-text" }, ` ${path}`));
    button.addEventListener("click", () => saveAs(path.split("/").pop(), data(file), "application/octet-stream"));
    return element("li", {}, element("div", { className: "file" },
        element("span", { className: "file-name code", title: path }, path),
        element("span", { className: "file-size" }, bytes(file.size)), button), preview(path, file));
}

const reason = ({ path, why }) => element("li", {}, path ? `${path}: ${why}` : why);

// null: none were asked for, or none came back and none were left out.
export function returnedFiles({ files = {}, files_left_out: leftOut = [] }) {
    const list = Object.entries(files);
    if (list.length === 0 && leftOut.length === 0)
        return null;
    return element("div", { className: "stream returned" },
        element("div", { className: "stream-head" }, element("h3", {}, "Files")),
        list.length > 0 ? element("ul", {}, ...list.map(([path, file]) => item(path, file))) : null,
        leftOut.length > 0 ? element("div", { className: "notice left-out" },
            element("p", {}, "These did not come back:"), element("ul", {}, ...leftOut.map(reason))) : null);
}
