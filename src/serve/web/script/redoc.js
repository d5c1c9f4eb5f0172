// Redoc on the service's own OpenAPI document, in the pages' colours. It computes with them once, so that another theme is
// another Redoc. Its search would need a worker made from a blob.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const sans = 'ui-sans-serif, system-ui, "Segoe UI", sans-serif';

const options = () => ({
    disableSearch: true,
    nativeScrollbars: true,
    expandResponses: "200",
    theme: {
        colors: {
            primary: { main: colour("accent-strong") }, // a part of it is shown paler
            success: { main: colour("good") },
            error: { main: colour("bad") },
            warning: { main: colour("warn") },
            text: { primary: colour("ink"), secondary: colour("soft") },
            border: { dark: colour("line-strong"), light: colour("line") },
            gray: { 50: colour("raised"), 100: colour("raised") },
            responses: {
                success: { color: colour("good"), backgroundColor: colour("good-wash"), tabTextColor: "#6fdc97" },
                error: { color: colour("bad"), backgroundColor: colour("bad-wash"), tabTextColor: "#ff9b92" },
            },
        },
        schema: { nestedBackground: colour("raised"), linesColor: colour("line-strong"), typeNameColor: colour("soft"), typeTitleColor: colour("soft") },
        sidebar: { backgroundColor: colour("raised"), textColor: colour("ink"), activeTextColor: colour("accent") },
        rightPanel: { backgroundColor: "#22262f", textColor: "#e8e9ed" },
        codeBlock: { backgroundColor: "#0d0f14" },
        typography: {
            fontFamily: sans,
            headings: { fontFamily: sans },
            code: { fontFamily: "ui-monospace, Menlo, Consolas, monospace", color: colour("code-keyword"), backgroundColor: colour("raised") },
            links: { color: colour("accent"), visited: colour("accent"), hover: colour("accent-strong") },
        },
    },
});

function show() {
    const place = document.createElement("div");
    document.getElementById("api").replaceChildren(place);
    window.Redoc.init("/openapi.json", options(), place);
}

document.addEventListener("themechange", show);
show();
