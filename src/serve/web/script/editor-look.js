// The editor's colours: the page's own variables, which are right for light and dark.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const frame = EditorView.theme({
    "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "var(--code-size)", height: "100%" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65", overflow: "auto" },
    ".cm-content": { padding: "14px 0", caretColor: "var(--accent)" },
    ".cm-line": { padding: "0 18px 0 10px" },
    ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
    ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--faint)", border: "none", paddingLeft: "8px" },
    ".cm-activeLine": { backgroundColor: "var(--line-active)" },
    ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
    ".cm-errorLine": { backgroundColor: "var(--line-error)", boxShadow: "inset 3px 0 0 var(--bad)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
        backgroundColor: "var(--selection)",
    },
    ".cm-selectionMatch": { backgroundColor: "var(--match)" },
    "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--match)", outline: "1px solid var(--line)" },
    "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--line-error)" },
    ".cm-foldGutter span": { opacity: "0.6" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--match)", border: "none", color: "var(--ink)" },
    ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", fontFamily: "var(--sans)" },
    ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
    ".cm-panel.cm-search": { padding: "10px 14px" },
    ".cm-panel.cm-search label": { fontSize: "13px" },
    ".cm-textfield": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "6px", padding: "4px 8px" },
    ".cm-button": { backgroundImage: "none", backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "6px", padding: "4px 10px" },
    ".cm-searchMatch": { backgroundColor: "var(--match)", outline: "1px solid var(--line-strong)" },
    ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: "var(--selection)" },
});

const colours = HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.controlKeyword], color: "var(--code-keyword)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
    { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
    { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))], color: "var(--code-function)" },
    { tag: [tags.className, tags.definition(tags.className)], color: "var(--code-class)" },
    { tag: tags.meta, color: "var(--code-class)" },
    { tag: tags.invalid, color: "var(--bad)" },
]);

export const look = [frame, syntaxHighlighting(colours)];
