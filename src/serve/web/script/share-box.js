// The box with the link to the code, and with the job as a command or a program. Where the clipboard can't be used
// (plain HTTP), the text is selected.
import { byId } from "./dom.js";
import { toFragment } from "./share.js";
import { asCurl, asPython } from "./snippets.js";
import { token } from "./token.js";

// `onLink(job)`: the address of the page is now the link to that job.
export function shareBox(currentJob, currentRequest, onLink) {
    const [button, box, link, code, copy, as] = ["share", "share-box", "share-link", "share-code", "share-copy", "share-as"].map(byId);
    const hide = () => {
        box.hidden = true;
        button.setAttribute("aria-expanded", "false");
    };
    const toClipboard = async () => {
        const field = as.value === "link" ? link : code;
        field.select();
        try {
            await navigator.clipboard.writeText(field.value);
            byId("status").textContent = "Copied.";
            copy.textContent = "Copied";
        } catch {
            byId("status").textContent = "The text is selected: copy it.";
        }
    };
    const showAs = () => {
        const form = { curl: asCurl, python: asPython }[as.value];
        code.value = form?.(currentRequest(), location.origin, Boolean(token())) ?? "";
        code.rows = Math.min(12, code.value.split("\n").length);
        code.hidden = !form;
        link.hidden = Boolean(form);
        copy.textContent = "Copy";
    };
    button.addEventListener("click", async () => {
        if (!box.hidden)
            return hide();
        const job = currentJob();
        history.replaceState(null, "", await toFragment(job));
        onLink(job);
        link.value = location.href;
        as.value = "link";
        showAs();
        box.hidden = false;
        button.setAttribute("aria-expanded", "true");
        link.focus();
        link.select();
    });
    copy.addEventListener("click", toClipboard);
    as.addEventListener("change", showAs);
    box.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            hide();
            button.focus();
        }
    });
    return { hide };
}
