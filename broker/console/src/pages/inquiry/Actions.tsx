// Actions.tsx - requeue, redirect, cancel: those that its state allows, for those who may. A dialog that is open
// stays when somebody else was faster: the broker's refusal then says so.
import { useState } from "preact/hooks";
import type { Inquiry } from "../../api/shapes";
import { may } from "../../session";
import { text } from "../../text";
import { Button } from "../../ui/Button";
import { CancelDialog, RequeueDialog } from "./Dialogs";
import { RedirectDialog } from "./Redirect";

type Open = "requeue" | "redirect" | "cancel" | null;

export function Actions({ row, final, onDone }: { row: Inquiry; final: boolean; onDone: () => void }) {
    const t = text().inquiry;
    const [open, setOpen] = useState<Open>(null);
    if (!may("act")) return null;
    const dialog = { number: row.number, onDone, onClose: () => setOpen(null) };
    return (
        <>
            {row.state === "parked" && <Button icon="requeue" kind="primary" onClick={() => setOpen("requeue")}>{t.requeue}</Button>}
            {!final && <Button icon="redirect" flip onClick={() => setOpen("redirect")}>{t.redirect}</Button>}
            {!final && <Button icon="cancel" kind="danger" onClick={() => setOpen("cancel")}>{t.cancel}</Button>}
            {open === "requeue" && <RequeueDialog {...dialog} />}
            {open === "redirect" && <RedirectDialog {...dialog} district={row.district ?? 0} />}
            {open === "cancel" && <CancelDialog {...dialog} />}
        </>
    );
}
