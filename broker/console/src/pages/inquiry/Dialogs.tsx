// Dialogs.tsx - cancelling and requeueing one inquiry, with the reason.
import { post } from "../../api/http";
import { digits } from "../../format/number";
import { fill, text } from "../../text";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";

export interface OneProps {
    number: number;
    onDone: () => void;
    onClose: () => void;
}

export function CancelDialog({ number, onDone, onClose }: OneProps) {
    const t = text().act;
    const n = digits(number);
    return (
        <Reason
            title={fill(t.cancelTitle, { n })}
            lead={t.cancelLead}
            confirm={t.cancelDo}
            danger
            onClose={onClose}
            onConfirm={async (reason) => {
                await post(`/v1/inquiries/${number}/cancel`, { reason });
                toast(fill(t.cancelDone, { n }));
                onDone();
            }}
        />
    );
}

export function RequeueDialog({ number, onDone, onClose }: OneProps) {
    const t = text().act;
    const n = digits(number);
    return (
        <Reason
            title={fill(t.requeueTitle, { n })}
            lead={t.requeueLead}
            confirm={t.requeueDo}
            onClose={onClose}
            onConfirm={async (reason) => {
                await post(`/v1/inquiries/${number}/requeue`, { reason });
                toast(fill(t.requeueDone, { n }));
                onDone();
            }}
        />
    );
}
