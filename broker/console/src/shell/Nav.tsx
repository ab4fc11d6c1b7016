// Nav.tsx - the sections this person may see; a column beside the page, a bar below it on a phone.
import { href, route } from "../route";
import { may, session } from "../session";
import { useStore } from "../store";
import { isPersian, text } from "../text";
import { Icon, type IconName } from "../ui/Icon";
import { Logo } from "../ui/Logo";

interface Section {
    page: string;
    also: string[]; // pages that belong to it
    label: string;
    icon: IconName;
    shown: boolean;
}

function sections(): Section[] {
    const t = text().nav;
    return [
        { page: "", also: ["department"], label: t.overview, icon: "overview", shown: may("queues") },
        { page: "search", also: ["inquiry"], label: t.search, icon: "search", shown: may("search") },
        { page: "parked", also: [], label: t.parked, icon: "parked", shown: may("parked") },
        { page: "system", also: [], label: t.system, icon: "system", shown: may("queues") },
    ];
}

/* Whose window it is. */
function cityTitle(): string {
    const now = session.get();
    const city = now.state === "in" ? now.who.city : null;
    return (city && (isPersian() ? city.title_fa : city.title_en)) || "";
}

export function Nav() {
    useStore(session);
    const at = useStore(route).page;
    const t = text();
    return (
        <nav class="nav" aria-label={t.nav.label}>
            <div class="nav-inside">
                <a class="brand" href={href("")}>
                    <Logo />
                    <span>
                        <b>{t.product}</b>
                        <small>{cityTitle() || t.productLine}</small>
                    </span>
                </a>
                <ul>
                    {sections().filter((s) => s.shown).map((s) => (
                        <li key={s.page}>
                            <a
                                href={href(s.page)}
                                class={s.page === at || s.also.includes(at) ? "here" : ""}
                                aria-current={s.page === at ? "page" : undefined}
                            >
                                <Icon name={s.icon} />
                                <span>{s.label}</span>
                            </a>
                        </li>
                    ))}
                </ul>
            </div>
        </nav>
    );
}
