// TopBar.tsx - search from anywhere, whether the page is live, and the reader's own settings.
import { useEffect, useState } from "preact/hooks";
import { go, href, route } from "../route";
import { logout, may, session } from "../session";
import { useStore } from "../store";
import { text } from "../text";
import { Icon } from "../ui/Icon";
import { Name } from "../ui/Code";
import { LanguageSwitch } from "./LanguageSwitch";
import { LinkLight } from "./LinkLight";
import { ThemeSwitch } from "./ThemeSwitch";

function QuickSearch() {
    const t = text();
    const at = useStore(route);
    const [value, setValue] = useState("");
    useEffect(() => {
        if (at.page !== "search") setValue("");
    }, [at.page]);
    return (
        <form
            class="quick"
            role="search"
            onSubmit={(e) => {
                e.preventDefault();
                if (value.trim()) go(href("search", undefined, { q: value.trim() }));
            }}
        >
            <Icon name="search" />
            <input
                type="search"
                data-search
                dir="auto"
                aria-label={t.search.box}
                placeholder={t.search.box}
                value={value}
                onInput={(e) => setValue(e.currentTarget.value)}
            />
            <kbd aria-hidden="true">/</kbd>
        </form>
    );
}

export function TopBar() {
    const now = useStore(session);
    const at = useStore(route).page;
    const t = text();
    return (
        <header class="top">
            {may("search") && at !== "search" ? <QuickSearch /> : <span class="top-space" />}
            <LinkLight />
            <LanguageSwitch />
            <ThemeSwitch />
            {now.state === "in" && (
                <span class="who" title={t.nav.account}>
                    <Name>{now.who.account}</Name>
                    <small>{t.levels[now.who.level ?? "observer"]}</small>
                </span>
            )}
            <button type="button" class="round" onClick={() => logout()} aria-label={t.nav.logout} title={t.nav.logout}>
                <Icon name="logout" flip />
            </button>
        </header>
    );
}
