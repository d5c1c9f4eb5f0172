// A few helpers in place of a framework.
export const byId = (id) => document.getElementById(id);

// element("p", { className: "hint", "aria-live": "off" }, "text", node, …); null children are left out.
export function element(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name in node)
            node[name] = value;
        else
            node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
}
