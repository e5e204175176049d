//! The page itself: one file without scripts or anything from elsewhere.

/// The page with the visitor's number.
pub fn counted(number: u64) -> String {
    page(
        &format!("<p class=\"number\">{number}</p>\n<p>visits so far. Reload the page to add one.</p>"),
        "<li><b>web</b> made this page and asked <b>counter</b> for the number, over a network that only the two share.</li>\n\
         <li><b>counter</b> keeps the number in the volume <code>counter-data</code>: take everything down and up again, and it goes on.</li>\n\
         <li>Both come from <code>stacks/example.yaml</code>. Change a line there, then run <code>hearth plan</code> and <code>hearth up</code>.</li>",
    )
}

/// The page while the counter does not answer.
pub fn silent() -> String {
    page(
        "<p class=\"number\">?</p>\n<p>The counter does not answer.</p>",
        "<li>See what it does: <code>hearth ps</code> and <code>hearth logs counter</code>.</li>\n\
         <li>Start it again: <code>hearth up example</code>.</li>",
    )
}

fn page(number: &str, points: &str) -> String {
    format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Hearth example</title>
<style>
  :root {{ color-scheme: light dark; --ink: #2b2320; --paper: #faf6f1; --card: #fff; --line: #e7dccf; --ember: #b8501f; }}
  @media (prefers-color-scheme: dark) {{ :root {{ --ink: #ece4da; --paper: #1c1816; --card: #262120; --line: #3b3330; --ember: #f08a4b; }} }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
         font: 1.05rem/1.6 system-ui, sans-serif; }}
  main {{ box-sizing: border-box; width: min(38rem, 100% - 2rem); margin: 2rem 0; padding: 2rem; background: var(--card);
         border: 1px solid var(--line); border-radius: 14px; }}
  h1 {{ margin: 0; font-size: 1.1rem; font-weight: 600; color: var(--ember); }}
  .number {{ margin: .6rem 0 0; font-size: 4.5rem; line-height: 1.1; font-weight: 700; font-variant-numeric: tabular-nums; }}
  ul {{ margin: 1.6rem 0 0; padding: 1.4rem 0 0 1.1rem; border-top: 1px solid var(--line); }}
  li + li {{ margin-top: .5rem; }}
  code {{ font-size: .92em; background: var(--paper); border: 1px solid var(--line); border-radius: 5px; padding: .05em .35em; }}
</style>
<main>
<h1>Hearth is running your first stack</h1>
{number}
<ul>
{points}
</ul>
</main>
</html>
"
    )
}
