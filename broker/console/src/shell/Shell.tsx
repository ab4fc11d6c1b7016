// Shell.tsx - what surrounds every page: sections, search, the state of the connection, the account.
import { useEffect } from "preact/hooks";
import { Loading } from "../ui/Loading";
import { Toasts } from "../ui/Toasts";
import { text } from "../text";
import { LostBanner } from "./LostBanner";
import { Nav } from "./Nav";
import { Page } from "./Page";
import { TopBar } from "./TopBar";

/* `/` goes to the search box from anywhere but a field. */
function useSlash(): void {
    useEffect(() => {
        const onKey = (event: KeyboardEvent): void => {
            const at = event.target as HTMLElement;
            const typing = at.closest?.("input, textarea, select, dialog, [contenteditable]");
            if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
            const box = document.querySelector<HTMLInputElement>("[data-search]");
            if (!box) return;
            event.preventDefault();
            box.focus();
            box.select();
        };
        addEventListener("keydown", onKey);
        return () => removeEventListener("keydown", onKey);
    }, []);
}

export function Shell({ waiting }: { waiting?: boolean }) {
    useSlash();
    const skip = (event: Event): void => {
        event.preventDefault();
        document.getElementById("content")?.focus();
    };
    return (
        <div class="shell">
            <a class="skip" href="#content" onClick={skip}>{text().skip}</a>
            <Nav />
            <div class="main">
                <TopBar />
                <LostBanner />
                <main id="content" tabIndex={-1}>{waiting ? <Loading /> : <Page />}</main>
            </div>
            <Toasts />
        </div>
    );
}
