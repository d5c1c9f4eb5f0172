// Typing over a selection. Chromium would give the new text the
// colour of the replaced text by an inline style, which the page's Content-Security-Policy forbids.
import { EditorView } from "@codemirror/view";

function typeOver(event, view) {
    const { main } = view.state.selection;
    const text = event.data;
    if (event.inputType !== "insertText" || event.isComposing || !text || main.empty)
        return false;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, text, insert)))
        view.dispatch(insert());
    event.preventDefault();
    return true;
}

export const typing = EditorView.domEventHandlers({ beforeinput: typeOver });
