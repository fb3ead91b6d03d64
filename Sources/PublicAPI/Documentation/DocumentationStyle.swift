/// How the documentation page looks: system fonts, light and dark, one column on a phone.
enum DocumentationStyle {
    static let sheet: StaticString = """
        :root {
          color-scheme: light dark;
          --paper: #ffffff; --raised: #f6f7f9; --line: #e2e5ea; --ink: #1d2330; --soft: #596273;
          --accent: #1f5fbf; --accent-paper: #e9f0fb; --good: #17683f; --good-paper: #e3f3ea;
          --warn: #8a4b08; --warn-paper: #fbeeda; --text-token: #17683f; --number-token: #9a3412;
          --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #12151b; --raised: #1a1f28; --line: #2b323e; --ink: #e3e7ee; --soft: #9ea8b8;
            --accent: #8ab4f8; --accent-paper: #1c2c47; --good: #7fd6a5; --good-paper: #173527;
            --warn: #f0b871; --warn-paper: #3a2a14; --text-token: #8fd3ab; --number-token: #f2a97c;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--paper); color: var(--ink);
          font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
        }
        a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: .07em; }
        a:hover { text-decoration-thickness: .14em; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        main:focus { outline: none; }
        .skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--paper); z-index: 2; }
        .skip:focus { top: 1rem; }

        .frame { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 82rem; margin: 0 auto; }
        main { padding: 3.5rem clamp(1.25rem, 4vw, 4rem) 6rem; max-width: 62rem; min-width: 0; }

        .contents { font-size: .875rem; line-height: 1.4; }
        .contents.wide {
          position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 2.25rem 1.25rem 3rem;
          border-right: 1px solid var(--line); scrollbar-width: thin;
        }
        .contents.small { display: none; }
        .contents .brand { margin: 0 .6rem 1.75rem; font-size: 1rem; font-weight: 650; }
        .contents .brand a, .contents .group a { color: inherit; text-decoration: none; }
        .contents .group { margin: 1.4rem .6rem .35rem; font-weight: 650; }
        .contents ul { list-style: none; margin: 0; padding: 0; }
        .contents li a {
          display: block; padding: .28rem .6rem; border-radius: 5px; color: var(--soft); text-decoration: none;
        }
        .contents li a:hover, .contents .group a:hover { color: var(--ink); background: var(--raised); }
        .contents details { margin: .1rem 0 0; }
        .contents details > summary { padding: .28rem .6rem; color: var(--soft); cursor: pointer; border-radius: 5px; }
        .contents details > summary:hover { color: var(--ink); background: var(--raised); }
        .contents details ul { padding-left: .9rem; }

        h1, h2, h3, h4 { line-height: 1.25; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
        h1 { margin: 0 0 .5rem; font-size: clamp(1.9rem, 1.5rem + 1.6vw, 2.5rem); letter-spacing: -.02em; }
        h2 { margin: 3rem 0 .75rem; font-size: 1.5rem; letter-spacing: -.012em; }
        h3 { margin: 0 0 .6rem; font-size: 1.2rem; letter-spacing: -.006em; }
        h4 { margin: 1.75rem 0 .5rem; font-size: .95rem; }
        .here { margin-left: .4em; color: var(--soft); text-decoration: none; font-weight: 400; opacity: 0; }
        :is(h2, h3):hover > .here, .here:focus-visible { opacity: 1; }
        p, ul, ol, dl, pre { margin: 0 0 1rem; }
        main p, main li { max-width: 44rem; }
        main :is(section, article) > :is(ul, ol) { padding-left: 1.4rem; }
        main li { margin-bottom: .3rem; }
        .opening .lead { margin: 0 0 1rem; font-size: 1.2rem; color: var(--soft); }
        .facts { display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; padding: 0 0 1.5rem; margin: 0; list-style: none;
          border-bottom: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
        .facts li { margin: 0; }
        .about { margin-top: 1.75rem; }
        .about h2 { margin-top: 2.5rem; font-size: 1.3rem; }
        section.tag { margin-top: 4rem; padding-top: .25rem; border-top: 1px solid var(--line); }
        section.tag > h2 { margin-top: 2.25rem; }

        code, pre { font-family: var(--mono); font-size: .875em; }
        :not(pre) > code { overflow-wrap: anywhere; }
        :is(p, li, td, th) > code, dd code { padding: .1em .35em; border-radius: 4px; background: var(--raised); }
        pre {
          padding: .9rem 1.1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--raised);
          overflow-x: auto; font-size: .8125rem; line-height: 1.55; tab-size: 2; max-width: 100%;
        }
        pre code { font-size: inherit; }
        pre.json { max-height: 30rem; overflow-y: auto; }
        pre i { font-style: normal; color: var(--text-token); }
        pre b { font-weight: 400; color: var(--number-token); }

        article { margin: 2.5rem 0 0; }
        article + article { padding-top: 2.5rem; border-top: 1px solid var(--line); }
        .route { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .7rem; }
        .route > code { padding: 0; background: none; font-size: .95rem; }
        .method { padding: .05rem .5rem; border-radius: 5px; background: var(--accent-paper); color: var(--accent);
          font: 600 .8rem/1.6 var(--mono); }
        .badge { display: inline-block; padding: 0 .5rem; border: 1px solid var(--line); border-radius: 1rem;
          color: var(--soft); font-size: .75rem; line-height: 1.5; white-space: nowrap; }
        .badge.scope { border-color: transparent; background: var(--warn-paper); color: var(--warn); }
        .badge.open { border-color: transparent; background: var(--good-paper); color: var(--good); }
        .status { padding: .05rem .45rem; border-radius: 5px; background: var(--good-paper); color: var(--good);
          font: 600 .8rem/1.6 var(--mono); }
        .status.other { background: var(--raised); color: var(--soft); }
        .type { color: var(--soft); font-size: .85rem; }
        .caption { margin: 0 0 .35rem; color: var(--soft); font-size: .85rem; }

        .fields { margin: 0 0 1rem; border-top: 1px solid var(--line); }
        .fields > div { display: grid; grid-template-columns: minmax(11rem, 15rem) minmax(0, 1fr); gap: .2rem 1.5rem;
          padding: .65rem 0; border-bottom: 1px solid var(--line); }
        .fields dt { display: flex; flex-wrap: wrap; align-content: flex-start; align-items: baseline;
          gap: .1rem .5rem; }
        .fields dt .type { flex-basis: 100%; line-height: 1.4; }
        .fields .name { font-weight: 600; overflow-wrap: anywhere; }
        .fields dd { margin: 0; font-size: .9375rem; }
        .fields dd p { margin: 0 0 .25rem; }
        .fields dd > :last-child { margin-bottom: 0; }
        .limits, .note { color: var(--soft); font-size: .85rem; }
        .limits { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem 1rem; }

        details.fold { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 .75rem; }
        details.fold > summary { padding: .55rem 1rem; cursor: pointer; color: var(--soft); font-size: .875rem; }
        details.fold > summary:hover { background: var(--raised); border-radius: 8px; }
        details.fold > summary .title { margin-right: .35rem; color: var(--ink); font-weight: 600; }
        details.fold > summary code { margin-right: .35rem; }
        details.fold[open] > summary { border-bottom: 1px solid var(--line); }
        details.fold[open] > summary code { display: none; }
        details.fold > .fields { margin: 0; border: 0; padding: 0 1rem; }
        details.fold > .fields > div:last-child { border: 0; }
        details.fold > pre { margin: 0; border: 0; border-radius: 0 0 8px 8px; }
        details.more { margin: 0 0 .6rem; }
        details.more > summary { cursor: pointer; color: var(--soft); font-size: .85rem; padding: .1rem 0; }
        details.more[open] > summary { margin-bottom: .35rem; }

        table { width: 100%; margin: 0 0 1rem; border-collapse: collapse; font-size: .9375rem; }
        th, td { padding: .55rem 1.25rem .55rem 0; border-bottom: 1px solid var(--line); text-align: left;
          vertical-align: top; overflow-wrap: anywhere; }
        th { font-size: .85rem; color: var(--soft); font-weight: 600; white-space: nowrap; }
        td > :is(code, .status):only-child { white-space: nowrap; }
        tr:target td { background: var(--accent-paper); }

        @media (max-width: 60rem) {
          .frame { display: block; }
          main { padding-top: 2rem; }
          .contents.wide { display: none; }
          .contents.small { display: block; padding: 0 clamp(1.25rem, 4vw, 4rem);
            border-bottom: 1px solid var(--line); }
          .contents.small > summary { padding: .85rem 0; color: var(--ink); font-weight: 600; font-size: 1rem; }
          .contents.small > summary:hover { background: none; }
          .contents.small > nav { padding-bottom: 1.5rem; margin: 0 -.6rem; }
          .contents li a, .contents details > summary { padding-block: .5rem; }
        }
        @media (max-width: 40rem) {
          .fields > div { grid-template-columns: minmax(0, 1fr); }
          .fields dt .type { flex-basis: auto; }
          h2 { font-size: 1.35rem; }
          section.tag { margin-top: 3rem; }
          table, tbody { display: block; border-top: 1px solid var(--line); }
          thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
          tr { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .6rem; padding: .6rem 0;
            border-bottom: 1px solid var(--line); }
          td { display: block; padding: 0; border: 0; max-width: 100%; }
          td:last-child { flex-basis: 100%; }
          td > :is(code, .status):only-child { white-space: normal; }
          tbody { border: 0; }
          pre { border-radius: 6px; padding: .75rem .85rem; }
        }
        @media print {
          .contents, .skip, .here { display: none; }
          .frame { display: block; }
          pre, pre.json { max-height: none; white-space: pre-wrap; }
        }
        """
}
