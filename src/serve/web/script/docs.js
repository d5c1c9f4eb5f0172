// Swagger UI on the service's own OpenAPI document. A class switches its dark look on.
const root = document.documentElement;
const look = () => root.classList.toggle("dark-mode", root.dataset.theme === "dark");
document.addEventListener("themechange", look);
look();

window.SwaggerUIBundle({
    url: "/openapi.json",
    domNode: document.getElementById("api"),
    deepLinking: true,
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null, // the default one is somebody else's host
    presets: [window.SwaggerUIBundle.presets.apis],
});
