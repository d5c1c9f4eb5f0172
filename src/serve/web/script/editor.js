// The editor: CodeMirror in a shadow root. There its styles are adopted style sheets; in the
// document they would be <style> elements, which the page's Content-Security-Policy forbids.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import {
    Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap,
    lineNumbers,
} from "@codemirror/view";
import { look } from "./editor-look.js";
import { typing } from "./editor-typing.js";

const setErrorLine = StateEffect.define();

// Marks the line that a traceback points to, until the code is changed.
const errorLine = StateField.define({
    create: () => Decoration.none,
    update(marks, transaction) {
        for (const effect of transaction.effects) {
            if (effect.is(setErrorLine))
                return effect.value === null ? Decoration.none : Decoration.set([effect.value]);
        }
        return transaction.docChanged ? Decoration.none : marks;
    },
    provide: (field) => EditorView.decorations.from(field),
});

export class Editor {
    #view;

    constructor(parent, { onRun, onChange }) {
        const root = parent.attachShadow({ mode: "open" });
        this.#view = new EditorView({
            root,
            parent: root,
            state: this.#state("", [
                keymap.of([
                    { key: "Ctrl-Enter", mac: "Cmd-Enter", run: onRun },
                    { key: "Ctrl-Enter", run: onRun },
                ]),
                EditorView.updateListener.of((update) => update.docChanged && onChange()),
            ]),
        });
    }

    #state(code, more) {
        this.extensions = [
            ...more,
            lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), foldGutter(), drawSelection(),
            indentOnInput(), indentUnit.of("    "), EditorState.tabSize.of(4), bracketMatching(), closeBrackets(),
            highlightActiveLine(), highlightSelectionMatches(), python(), errorLine, look, typing,
            keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
            EditorView.contentAttributes.of({
                "aria-label": "Python code. Press Escape, then Tab to leave the editor.",
                autocapitalize: "off",
                tabindex: "0",
            }),
        ];
        return EditorState.create({ doc: code, extensions: this.extensions });
    }

    get code() {
        return this.#view.state.doc.toString();
    }

    // Sets a new document: undo never brings back the one before.
    set code(code) {
        this.#view.setState(EditorState.create({ doc: code, extensions: this.extensions }));
    }

    focus() {
        this.#view.focus();
    }

    #line(number) {
        const { doc } = this.#view.state;
        return doc.line(Math.max(1, Math.min(number, doc.lines)));
    }

    markError(number) {
        const mark = number === null ? null : Decoration.line({ class: "cm-errorLine" }).range(this.#line(number).from);
        this.#view.dispatch({ effects: setErrorLine.of(mark) });
    }

    goTo(number) {
        const { from } = this.#line(number);
        this.#view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
        this.markError(number);
        this.#view.focus();
        this.#view.dom.scrollIntoView({ block: "nearest" });
    }
}
