// The box with the link to the code. Where the clipboard can't be used (plain HTTP), the link is selected.
import { byId } from "./dom.js";
import { toFragment } from "./share.js";

export function shareBox(currentJob) {
    const [button, box, link, copy] = ["share", "share-box", "share-link", "share-copy"].map(byId);
    const hide = () => {
        box.hidden = true;
        button.setAttribute("aria-expanded", "false");
    };
    const toClipboard = async () => {
        link.select();
        try {
            await navigator.clipboard.writeText(link.value);
            byId("status").textContent = "Link copied.";
            copy.textContent = "Copied";
        } catch {
            byId("status").textContent = "The link is selected: copy it.";
        }
    };
    button.addEventListener("click", async () => {
        if (!box.hidden)
            return hide();
        const fragment = await toFragment(currentJob());
        history.replaceState(null, "", fragment);
        link.value = location.href;
        copy.textContent = "Copy";
        box.hidden = false;
        button.setAttribute("aria-expanded", "true");
        link.focus();
        link.select();
    });
    copy.addEventListener("click", toClipboard);
    box.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            hide();
            button.focus();
        }
    });
    return { hide };
}
