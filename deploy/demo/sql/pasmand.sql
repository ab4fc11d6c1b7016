-- Waste management: contracts for carrying rubble away, and the fees still owed on them.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE GHARARDAD_NOKHALE (
    SH_GHARARDAD VARCHAR(20) PRIMARY KEY,
    KOD_NOSAZI   VARCHAR(40) NOT NULL,
    MARKAZ       VARCHAR(80) NOT NULL,
    SAGHF_M3     INTEGER NOT NULL,
    MANDE        BIGINT NOT NULL
);
INSERT INTO GHARARDAD_NOKHALE VALUES
    ('N-1404-0451', '1-1-1-1-0-0-0', 'مرکز پذیرش نمونه ۲', 900, 0),
    ('N-1404-0460', '5-2-8-14-0-0-0', 'مرکز پذیرش نمونه ۱', 300, 18000000);
