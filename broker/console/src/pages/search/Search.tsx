// Search.tsx - one box, fields that write into it, and what was found. The question lives in the address.
import { useEffect, useState } from "preact/hooks";
import { go, href, replace } from "../../route";
import { text } from "../../text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { PageHead } from "../../ui/PageHead";
import { Examples } from "./Examples";
import { Filters } from "./Filters";
import { Results } from "./Results";

export function Search({ query, entry }: { query: string; entry: string }) {
    const t = text().search;
    const [typed, setTyped] = useState(query);
    useEffect(() => setTyped(query), [query]);
    const addressOf = (q: string): string => href("search", undefined, { q: q.trim() });
    // A search that was asked for is one to come back to; a field that is being set is not.
    const refine = (q: string): void => (query ? replace : go)(addressOf(q));
    return (
        <div class="page">
            <PageHead title={t.title} />
            <form
                class="search-box"
                role="search"
                onSubmit={(e) => {
                    e.preventDefault();
                    go(addressOf(typed));
                }}
            >
                <div class="search-line">
                    <Icon name="search" />
                    <input
                        type="search"
                        data-search
                        dir="auto"
                        spellcheck={false}
                        autoComplete="off"
                        aria-label={t.filterText}
                        placeholder={t.box}
                        maxLength={900}
                        value={typed}
                        onInput={(e) => setTyped(e.currentTarget.value)}
                    />
                    <Button type="submit" kind="primary">{t.submit}</Button>
                </div>
                <p class="field-hint">{t.filterTip}</p>
                <Filters value={typed} onChange={(q) => (setTyped(q), refine(q))} />
            </form>
            {query ? <Results key={`${entry} ${query}`} query={query} entry={entry} /> : <Examples />}
        </div>
    );
}
