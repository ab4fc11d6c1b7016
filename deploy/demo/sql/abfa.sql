-- Water and sewage: protected zones of mains and wells, and the spare capacity of each area.
-- A place is a box of micro-degrees (degrees times 1,000,000).
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE MAHDUDE (
    SHARH      VARCHAR(80) NOT NULL,
    NOE        CHAR(1) NOT NULL,           -- H protected zone, F area of a reservoir
    GHARB INTEGER NOT NULL, SHARGH INTEGER NOT NULL, JONUB INTEGER NOT NULL, SHOMAL INTEGER NOT NULL,
    ZARFIAT    INTEGER NOT NULL            -- F: what is left; H: 0
);
INSERT INTO MAHDUDE VALUES
    ('چاه نمونه ۵', 'H', 51430000, 51430400, 35800000, 35800300, 0),
    ('مخزن نمونه ۷۱', 'F', 51400000, 51460000, 35780000, 35830000, 90),
    ('مخزن نمونه ۲۰', 'F', 51180000, 51230000, 35720000, 35760000, 60);
