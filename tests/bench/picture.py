"""The figures of `bench --warm` as a picture (SVG) that can be read on light and on dark ground, and as JSON beside
it."""

import datetime
import html
import json

WARM = "warm POST /run"
WIDTH, LABELS, BARS, ROW = 860, 170, 500, 24  # BARS: the longest bar
PLAIN = {"bare": "bare python3 -I", "sandbox-run": "sandbox-run, cold", WARM: "sandbox-serve, warm"}

STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 15px }
    .note { fill: #59636e; font-size: 12px }
    .peer { fill: #afb8c1 } .bare { fill: #6e7781 } .cold { fill: #80ccff } .warm { fill: #0969da }
    .range { stroke: #59636e; stroke-width: 1.5 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .note { fill: #9198a1 } .range { stroke: #9198a1 }
      .peer { fill: #484f58 } .bare { fill: #8b949e } .cold { fill: #1f4b7a } .warm { fill: #58a6ff }
    }"""


def kind(name):
    return {"bare": "bare", "sandbox-run": "cold", WARM: "warm"}.get(name, "peer")


def text(x, y, words, css=""):
    css = f' class="{css}"' if css else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{css}>{html.escape(words)}</text>'


def bar(y, row, most):
    """One contestant: a bar, from its end a line up to "to" if there is one, and what it says beside."""
    end = LABELS + row["value"] / most * BARS
    parts = [f'<text x="{LABELS - 10}" y="{y + 13}" text-anchor="end">'
             f'{html.escape(PLAIN.get(row["name"], row["name"]))}</text>',
             f'<rect x="{LABELS}" y="{y}" width="{max(end - LABELS, 1):.1f}" height="{ROW - 7}" rx="2" '
             f'class="{kind(row["name"])}"/>']
    if "to" in row:
        far, middle = LABELS + row["to"] / most * BARS, y + (ROW - 7) / 2
        parts.append(f'<path class="range" d="M{end:.1f} {middle}H{far:.1f}M{far:.1f} {middle - 4}v8" fill="none"/>')
        end = max(end, far)
    return [*parts, text(end + 8, y + 13, row["says"])]


def panel(y, title, rows):
    """(elements, where the next may begin)."""
    most = max(max(row["value"], row.get("to", 0)) for row in rows)
    parts = [text(0, y + 14, title, "title")]
    for index, row in enumerate(rows):
        parts += bar(y + 26 + index * ROW, row, most)
    return parts, y + 26 + len(rows) * ROW + 18


def latency_rows(rows):
    return [{"name": row["name"], "value": row["p50_ms"], "to": row["p99_ms"],
             "says": f"{row['p50_ms']:.2f} ms" + ("" if row["name"] == "bare" else f" · {row['p50_of_bare']:.2f} × bare")}
            for row in sorted(rows, key=lambda row: row["p50_ms"])]


def rate_rows(rows):
    bare = next(row["rate"] for row in rows if row["name"] == "bare")
    return [{"name": row["name"], "value": row["rate"],
             "says": f"{row['rate']:.0f}/s" + ("" if row["name"] == "bare" else f" · {row['rate'] / bare:.1f} × bare")}
            for row in sorted(rows, key=lambda row: -row["rate"])]


def svg(report):
    """The picture of a report with the parts "latency" and "throughput"."""
    told, machine = report["warm"], report["machine"]
    rows = told["latency"]["rows"]
    parts, y = panel(0, "print(1): time until it is done, p50, and p99 at the end of the line", latency_rows(rows))
    more, y = panel(y, "print(1): runs a second on all cores", rate_rows(told["throughput"]))
    note = (f"{machine['cpu']}, {machine['cores']} cores{', virtual' if machine['virtual'] else ''}; Linux "
            f"{machine['kernel'].partition('-')[0]}; cgroup {machine['cgroup']}; {rows[0]['runs']} rounds in turns; "
            f"{report['date']}")
    body = "\n  ".join([*parts, *more, text(0, y + 8, note, "note")])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {WIDTH} {y + 30}" role="img" '
            f'aria-label="Latency and throughput of warm starts beside bare python and other sandboxes">\n'
            f"  <style>{STYLE}\n  </style>\n  {body}\n</svg>\n")


def publish(report, directory):
    """Writes warm.json and warm.svg."""
    if not {"latency", "throughput"} <= report.get("warm", {}).keys():
        raise SystemExit("bench: --figures needs the parts latency and throughput of --warm")
    report["date"] = datetime.date.today().isoformat()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "warm.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (directory / "warm.svg").write_text(svg(report), encoding="utf-8")
    print(f"\npublished: {directory}/warm.json, {directory}/warm.svg")
