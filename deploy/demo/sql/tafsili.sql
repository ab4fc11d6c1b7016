-- Detailed plan: the plans in force, and the parcels that each takes land from.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE TARH (
    KOD_TARH   INTEGER PRIMARY KEY,
    NAM_TARH   VARCHAR(120) NOT NULL
);
CREATE TABLE MELK_TARH (
    KOD_NOSAZI VARCHAR(40) PRIMARY KEY,
    KOD_TARH   INTEGER REFERENCES TARH,    -- NULL: in no plan
    TAKHSIS_M2 INTEGER NOT NULL
);
INSERT INTO TARH VALUES (11, 'تعریض گذر نمونه به ۱۲ متر'), (12, 'بوستان محلی نمونه');
INSERT INTO MELK_TARH VALUES
    ('1-1-1-1-0-0-0', NULL, 0),
    ('22-3-15-40-1-12-0', NULL, 0),
    ('5-2-8-14-0-0-0', 11, 14),
    ('12-4-30-7-0-0-0', 12, 210);
