-- Water and sewage: protected zones of mains and wells, and the spare capacity of each area.
-- A place is a box in degrees times 10,000,000, as the broker gives coordinates.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE MAHDUDE (
    SHARH      VARCHAR(80) NOT NULL,
    NOE        CHAR(1) NOT NULL,           -- H protected zone, F area of a reservoir
    GHARB INTEGER NOT NULL, SHARGH INTEGER NOT NULL, JONUB INTEGER NOT NULL, SHOMAL INTEGER NOT NULL,
    ZARFIAT    INTEGER NOT NULL            -- F: what is left; H: 0
);
INSERT INTO MAHDUDE VALUES
    ('چاه نمونه ۵', 'H', 514300000, 514304000, 358000000, 358003000, 0),
    ('مخزن نمونه ۷۱', 'F', 514000000, 514600000, 357800000, 358300000, 90),
    ('مخزن نمونه ۲۰', 'F', 511800000, 512300000, 357200000, 357600000, 60);
