// Redoc on the service's own OpenAPI document, in the pages' light colours: some of Redoc's colours
// are fixed, and unreadable on a dark page. Its search would need a worker made from a blob.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const sans = 'ui-sans-serif, system-ui, "Segoe UI", sans-serif';

window.Redoc.init("/openapi.json", {
    disableSearch: true,
    nativeScrollbars: true,
    expandResponses: "200",
    theme: {
        colors: {
            primary: { main: colour("accent") },
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
}, document.getElementById("api"));
