// Page.tsx - from the address to a page; its title, and the focus of whoever comes by keyboard.
import { useEffect, useRef } from "preact/hooks";
import { digits } from "../format/number";
import { Department } from "../pages/department/Department";
import { Inquiry } from "../pages/inquiry/Inquiry";
import { Overview } from "../pages/overview/Overview";
import { Parked } from "../pages/parked/Parked";
import { Search } from "../pages/search/Search";
import { System } from "../pages/system/System";
import { catalogue, departmentTitle } from "../live/catalogue";
import { href, route, type Route } from "../route";
import { may, scopeMissing, type Right } from "../session";
import { useStore } from "../store";
import { fill, text } from "../text";
import { Empty } from "../ui/Empty";
import { isKnown, placeAgain, placeTop } from "./place";

interface Entry {
    needs: Right;
    title: (at: Route) => string;
    render: (at: Route) => preact.JSX.Element;
}

const pages: Record<string, Entry> = {
    "": { needs: "queues", title: () => text().overview.title, render: () => <Overview /> },
    department: { needs: "queues", title: (at) => departmentTitle(at.id), render: (at) => <Department key={at.id} name={at.id} /> },
    search: { needs: "search", title: () => text().search.title, render: (at) => <Search query={at.query.get("q") ?? ""} entry={at.entry} /> },
    inquiry: {
        needs: "inquiry",
        title: (at) => fill(text().inquiry.title, { n: digits(at.id) }),
        render: (at) => <Inquiry key={at.id} id={at.id} view={at.query.get("view") ?? "timeline"} />,
    },
    parked: { needs: "parked", title: () => text().parked.title, render: (at) => <Parked query={at.query} /> },
    system: { needs: "queues", title: () => text().system.title, render: () => <System /> },
};

/* No such page, or one for which the token lacks a scope; the way back leads to a page that is there. */
function Nowhere({ scope }: { scope: string | null }) {
    const t = text();
    return (
        <Empty title={scope ? fill(t.fault.scope, { scope }) : t.fault.page}>
            {may("queues") && <a href={href("")}>{t.fault.pageDo}</a>}
            {!may("queues") && may("search") && <a href={href("search")}>{t.inquiry.toSearch}</a>}
        </Empty>
    );
}

export function Page() {
    const at = useStore(route);
    useStore(catalogue); // titles arrive after the first view
    const entry = pages[at.page];
    const shown = entry && may(entry.needs) ? entry : undefined;
    const first = useRef(true);
    document.title = `${shown ? shown.title(at) : text().fault.page} · ${text().product}`;
    useEffect(() => {
        // A reader of the screen is told of the new page by the focus moving to it.
        if (!first.current) document.getElementById("content")?.focus({ preventScroll: true });
        first.current = false;
        if (!isKnown(at.entry)) placeTop();
    }, [at.page, at.id]);
    useEffect(() => {
        if (isKnown(at.entry)) placeAgain(at.entry);
    }, [at.entry]);
    return shown ? shown.render(at) : <Nowhere scope={entry ? scopeMissing(entry.needs) : null} />;
}
