// System.tsx - the broker itself: versions, store, index, keys, configuration, and the drain.
import type { List, NamedValue } from "../../api/shapes";
import { board } from "../../live/board";
import { may } from "../../session";
import { useStore } from "../../store";
import { text } from "../../text";
import { Banner } from "../../ui/Banner";
import { PageHead } from "../../ui/PageHead";
import { useAsked } from "../../ui/useAsked";
import { Config } from "./Config";
import { Drain } from "./Drain";
import { IndexPanel } from "./IndexPanel";
import { Keys } from "./Keys";
import { StorePanel } from "./StorePanel";
import { Versions } from "./Versions";

export function System() {
    const t = text().system;
    const { stats } = useStore(board);
    const config = useAsked<List<NamedValue>>(may("config") ? "/v1/config" : null, 60_000);
    return (
        <div class="page">
            <PageHead title={t.title} />
            {!may("config") && <Banner tone="calm">{t.observerNote}</Banner>}
            <div class="split split-even">
                <div class="stack">
                    {may("config") && <Versions config={config} />}
                    <IndexPanel />
                </div>
                <div class="stack">
                    <StorePanel stats={stats} />
                    {may("drain") && <Drain draining={Boolean(stats.draining)} />}
                </div>
            </div>
            {may("keys") && <Keys />}
            {may("config") && <Config config={config} />}
        </div>
    );
}
