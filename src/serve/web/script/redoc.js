// Redoc on the service's own OpenAPI document. Its search would need a worker made from a blob.
window.Redoc.init("/openapi.json", {
    disableSearch: true,
    hideDownloadButton: false,
    nativeScrollbars: true,
    expandResponses: "200",
    theme: {
        colors: { primary: { main: "#0f766e" } },
        typography: {
            fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", sans-serif',
            headings: { fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", sans-serif' },
            code: { fontFamily: "ui-monospace, Menlo, Consolas, monospace" },
        },
    },
}, document.getElementById("api"));
